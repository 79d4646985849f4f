// Owns the text of docs/STATES.md between its markers: drawn from what the exploration has seen, and read again to check what histories see.

using System.Text;
using System.Text.RegularExpressions;
using OrderEngine.Core.Events;

namespace OrderEngine.Core.Tests.Documentation;

/// <summary>The state diagrams.</summary>
internal static partial class StatesDocument
{
    private const string Begin = "<!-- states:begin -->", End = "<!-- states:end -->";

    public static string Path { get; } = System.IO.Path.Combine(DocumentationTests.Root(), "docs", "STATES.md");

    // One diagram with all of it could not be read.
    private static readonly (string Title, EventKind[] Events)[] Diagrams =
    [
        ("From submission to the warehouse", [EventKind.OrderSubmitted, EventKind.OrderApproved, EventKind.OrderRejected, EventKind.PaymentRecorded, EventKind.OrderExpired, EventKind.BackorderFilled]),
        ("From the warehouse to the customer", [EventKind.ShipmentReleased, EventKind.ShipmentConfirmed, EventKind.DeliveryRecorded, EventKind.LossRecorded, EventKind.OrderCompleted]),
        ("Back from the warehouse", [EventKind.ShipmentRecalled, EventKind.PickFellShort]),
        ("Changes of mind, and stock that is not there", [EventKind.OrderCancelled, EventKind.OrderAmended, EventKind.OrderDeallocated]),
    ];

    private static readonly Lazy<HashSet<(EventKind, OrderState, OrderState)>> Drawn = new(() => Read(File.ReadAllText(Path)));

    /// <summary>True when the document has this move of an order, or it is none.</summary>
    public static bool Shows(EventKind happened, OrderState before, OrderState after) => before == after || Drawn.Value.Contains((happened, before, after));

    /// <summary>The whole document with what was seen in place of what it shows.</summary>
    public static string With(string document, StateExplorer seen) =>
        document[..(document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + "\n" + Draw(seen) + document[document.IndexOf(End, StringComparison.Ordinal)..];

    private static string Draw(StateExplorer seen)
    {
        var text = new StringBuilder();
        foreach (var (title, events) in Diagrams)
            Diagram(text, title, seen.Orders.Where(move => events.Contains(move.Event)).Select(move => (Name(move.Before), Name(move.After), move.Event, (int)move.Before, (int)move.After)));
        Diagram(text, "Returns", seen.Returns.Select(move => (Name(move.Before), Name(move.After), move.Event, (int)move.Before, (int)move.After)));
        text.Append("## Who moves an order\n| event | written by |\n|---|---|\n");
        foreach (var moved in seen.Orders.GroupBy(move => move.Event).OrderBy(moved => moved.Key))
            text.Append($"| {moved.Key} | {string.Join(", ", moved.Select(move => move.By).Distinct().Order().Select(by => by == 0 ? "the engine itself" : by.ToString()))} |\n");
        return text.ToString();
    }

    /// <summary>Events that move an order and stand in no diagram.</summary>
    public static IEnumerable<EventKind> Undrawn(StateExplorer seen) => seen.Orders.Select(move => move.Event).Distinct().Except(Diagrams.SelectMany(diagram => diagram.Events));

    private static void Diagram(StringBuilder text, string title, IEnumerable<(string Before, string After, EventKind Event, int From, int To)> moves)
    {
        text.Append($"## {title}\n```mermaid\nstateDiagram-v2\n");
        foreach (var arrow in moves.Distinct().GroupBy(move => (move.Before, move.After)).OrderBy(arrow => arrow.First().From).ThenBy(arrow => arrow.First().To))
            text.Append($"    {arrow.Key.Before} --> {arrow.Key.After} : {string.Join(", ", arrow.Select(move => move.Event).Order())}\n");
        text.Append("```\n\n");
    }

    private static HashSet<(EventKind, OrderState, OrderState)> Read(string document)
    {
        var moves = new HashSet<(EventKind, OrderState, OrderState)>();
        foreach (Match arrow in Arrow().Matches(document.Split("## Returns")[0]))
        {
            foreach (var happened in arrow.Groups[3].Value.Split(", ")) moves.Add((Enum.Parse<EventKind>(happened), State(arrow.Groups[1].Value), State(arrow.Groups[2].Value)));
        }
        return moves;
    }

    private static OrderState State(string name) => name == "[*]" ? OrderState.None : Enum.Parse<OrderState>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    // As the contract spells it; where there is nothing yet, Mermaid's [*].
    private static string Name<T>(T state) where T : struct, Enum => Convert.ToInt32(state, System.Globalization.CultureInfo.InvariantCulture) == 0 ? "[*]" : Words().Replace(state.ToString(), "_").ToUpperInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex Words();

    [GeneratedRegex(@"^    (\S+) --> (\S+) : (.+)$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
