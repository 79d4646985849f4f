// docs/STATES.md shows what orders and returns really do, and the transition table says who may ask for it, no more and no less: all of it is tried
// from everywhere. ORDERENGINE_WRITE_DOCS=true writes the page anew.

using Xunit;
using Xunit.Abstractions;

namespace OrderEngine.Core.Tests.Documentation;

public sealed class StateDiagramTests(ITestOutputHelper output)
{
    private static readonly Lazy<StateExplorer> Seen = new(StateExplorer.Run);

    // Where the core gives a better reason than ILLEGAL_TRANSITION.
    private static readonly string[] OwnReason =
    [
        // NOT_AMENDABLE: the warehouse has it; once it is recalled it can be amended.
        "AmendOrder from Fulfilling",
        // RETURN_WINDOW_OVER.
        "RequestReturn from Completed",
        // NOTHING_TO_CONFIRM: what is not confirmed does not go to the warehouse.
        "ConfirmOrder from Fulfilling", "ConfirmOrder from PartiallyShipped", "ConfirmOrder from Shipped", "ConfirmOrder from Delivered",
    ];

    [Fact]
    public void The_diagrams_show_what_orders_and_returns_do()
    {
        output.WriteLine($"{Seen.Value.Paths} paths, {Seen.Value.Orders.Count} moves of orders, {Seen.Value.Returns.Count} of returns");
        Assert.True(!StatesDocument.Undrawn(Seen.Value).Any(), $"StatesDocument.Diagrams: say in which diagram {string.Join(", ", StatesDocument.Undrawn(Seen.Value))} belongs.");
        var shown = File.ReadAllText(StatesDocument.Path);
        var real = StatesDocument.With(shown, Seen.Value);
        if (Environment.GetEnvironmentVariable("ORDERENGINE_WRITE_DOCS") == "true") File.WriteAllText(StatesDocument.Path, real);
        else if (real != shown) Assert.Fail($"docs/STATES.md is not as orders are now. Run this test with ORDERENGINE_WRITE_DOCS=true, and look at what changes. It should be:\n{real}");
    }

    [Fact]
    public void Every_command_is_done_from_every_state_that_the_table_allows_and_illegal_from_every_other()
    {
        var wrong = new List<string>();
        var states = Enum.GetValues<OrderState>().Where(state => state != OrderState.None).ToArray();
        var returnStates = Enum.GetValues<ReturnState>().Where(state => state != ReturnState.None).ToArray();
        foreach (var row in Transitions.Table.Where(row => row.Default != Role.System))
        {
            foreach (var state in row.From.Length == 0 ? [] : states) Check($"{row.Command} from {state}", row.From.Contains(state), Seen.Value.Done.Contains((row.Command, state)), Seen.Value.Illegal.Contains((row.Command, state)));
            foreach (var state in row.FromReturn.Length == 0 ? [] : returnStates)
                Check($"{row.Command} from return {state}", row.FromReturn.Contains(state), Seen.Value.DoneOnReturn.Contains((row.Command, state)), Seen.Value.IllegalOnReturn.Contains((row.Command, state)));
        }
        Assert.True(wrong.Count == 0, "A command that StateExplorer.Moves does not try, or a table that says more or less than the code:\n" + string.Join('\n', wrong));

        void Check(string what, bool allowed, bool done, bool illegal)
        {
            if (OwnReason.Contains(what))
            {
                if (done || illegal) wrong.Add($"{what}: no longer has a reason of its own.");
                return;
            }
            if (done != allowed) wrong.Add($"{what}: the table says {(allowed ? "yes, and it was never done" : "no, and it was done")}.");
            if (illegal == allowed) wrong.Add($"{what}: the table says {(allowed ? "yes, and it was illegal" : "no, and it was never refused as illegal")}.");
        }
    }

    [Fact]
    public void Timers_end_the_states_that_the_table_says()
    {
        foreach (var (command, happened) in (ReadOnlySpan<(CommandKind, Events.EventKind)>)[(CommandKind.ExpireOrder, Events.EventKind.OrderExpired), (CommandKind.CompleteOrder, Events.EventKind.OrderCompleted)])
            Assert.Equal(Transitions.Of(command).From.Order(), Seen.Value.Orders.Where(move => move.Event == happened).Select(move => move.Before).Distinct().Order());
    }
}
