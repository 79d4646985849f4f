// A defect on demand: a server that is started with DOTNET_STARTUP_HOOKS naming this assembly fails to decide each AddNote, as a defect of the core
// would. Runs in the server's process, before its Main; takes nothing of this assembly with it.
using System.Globalization;
using System.Reflection;

// The runtime looks for this name, without a namespace.
internal static class StartupHook
{
    public static void Initialize()
    {
        var core = Assembly.Load("OrderEngine.Core");
        var notes = Convert.ToInt32(Enum.Parse(core.GetType("OrderEngine.Core.CommandKind", throwOnError: true)!, "AddNote"), CultureInfo.InvariantCulture);
        var table = core.GetType("OrderEngine.Core.Transitions", throwOnError: true)!.GetField("ByCommand", BindingFlags.NonPublic | BindingFlags.Static)!;
        var row = ((object[])table.GetValue(null)!)[notes];
        // The states from which a note may be added: looked at by the decision alone.
        row.GetType().GetProperty("From")!.SetValue(row, null);
    }
}
