// Owns where things lie and what this machine offers. Read once, any thread.
using System.Globalization;
using System.Reflection;

namespace OrderEngine.System.Tests.Harness;

/// <summary>Paths of the repository and of what lies beside it, and the variables that change a run (docs/TESTING.md).</summary>
internal static class Setting
{
    /// <summary>Nothing waits longer than this for a process or an answer; far more than a busy machine needs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static string Root { get; } = Metadata("RepositoryRoot");

    /// <summary>In CI nothing may be skipped for want of a tool or a file.</summary>
    public static bool IsCi { get; } = Environment.GetEnvironmentVariable("CI") == "true";

    public static string RetailFile { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("OE_SHARED") ?? Path.Combine(Root, "..", "shared"), "data", "online-retail.csv.gz");

    public static string Proto { get; } = Path.Combine(Root, "proto");

    /// <summary>How often the server is killed in each of the kill tests: variable OE_KILL_ROUNDS.</summary>
    public static int KillRounds { get; } = Number("OE_KILL_ROUNDS", 50);

    /// <summary>What draws the points at which it is killed: variable OE_SEED, otherwise new for each run and printed.</summary>
    public static int Seed { get; } = Number("OE_SEED", Environment.TickCount & 0xFFFFFF);

    public static string ServerDll { get; } = Output("src/OrderEngine.Server", "OrderEngine.Server.dll");

    public static string OrderctlDll { get; } = Output("src/OrderEngine.Cli", "orderctl.dll");

    public static string LoadDll { get; } = Output("load/OrderEngine.Load", "OrderEngine.Load.dll");

    /// <summary>The dotnet that runs these tests.</summary>
    public static string Dotnet { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static string Output(string project, string file) =>
        Path.Combine(Root, project, "bin", Metadata("Configuration"), "net10.0", file);

    private static string Metadata(string key) =>
        typeof(Setting).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == key).Value!;

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}

/// <summary>A test that needs the real file of orders.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RetailFactAttribute : FactAttribute
{
    public RetailFactAttribute()
    {
        if (!Setting.IsCi && !File.Exists(Setting.RetailFile))
            Skip = $"needs {Setting.RetailFile}; variable OE_SHARED names the folder in which data/ lies";
    }
}

/// <summary>The same, once for each row of data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RetailTheoryAttribute : TheoryAttribute
{
    public RetailTheoryAttribute()
    {
        if (!Setting.IsCi && !File.Exists(Setting.RetailFile))
            Skip = $"needs {Setting.RetailFile}; variable OE_SHARED names the folder in which data/ lies";
    }
}
