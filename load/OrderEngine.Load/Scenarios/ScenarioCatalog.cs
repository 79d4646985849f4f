// The scenarios by name. Each run gets a fresh object: scenarios keep state.

using OrderEngine.Load.Model;

namespace OrderEngine.Load.Scenarios;

/// <summary>All scenarios.</summary>
public static class ScenarioCatalog
{
    private static readonly (string Name, bool Hot, int Customers, Func<IScenario> Make)[] All =
    [
        ("submit-unary", false, 0, () => new SubmitUnaryScenario("submit-unary", "SubmitOrder, one order a call.")),
        ("submit-bulk-100", false, 0, () => new SubmitBulkScenario(100)),
        ("submit-stream-1", false, 0, () => new SubmitStreamScenario(1)),
        ("submit-stream-20", false, 0, () => new SubmitStreamScenario(20)),
        ("submit-stream-100", false, 0, () => new SubmitStreamScenario(100)),
        ("submit-stream-1000", false, 0, () => new SubmitStreamScenario(1_000)),
        ("submit-hot", true, 0, () => new SubmitUnaryScenario("submit-hot", "SubmitOrder, one order a call, half of the lines on 10 SKUs.")),
        ("submit-retry", false, 0, () => new SubmitUnaryScenario("submit-retry", "SubmitOrder, one order a call, 10 % of them sent before.") { RepeatEvery = 10 }),
        ("holds", false, 0, () => new HoldsScenario()),
        ("advance", false, 0, () => new AdvanceScenario()),
        ("track", false, 0, () => new TrackScenario()),
        ("list", false, 0, () => new ListScenario()),
        ("mixed", false, 0, () => new MixedScenario(
            new TrackScenario { Weight = 60 }, new ListScenario { Weight = 10 }, new AdvanceScenario { Weight = 20, Share = 0.2 },
            new SubmitUnaryScenario("submit", "SubmitOrder, one order a call.") { Weight = 10 })),
        ("fanout-1", false, FanOutScenario.CustomersOfRun, () => new FanOutScenario("fanout-1", 1, 0)),
        ("fanout-100", false, FanOutScenario.CustomersOfRun, () => new FanOutScenario("fanout-100", 10, 90)),
        ("fanout-1000", false, FanOutScenario.CustomersOfRun, () => new FanOutScenario("fanout-1000", 10, 990)),
        ("slow-subscriber", false, FanOutScenario.CustomersOfRun, () => new FanOutScenario("slow-subscriber", 4, 0, oneStops: true)),
        ("overload-unary", false, 0, () => new OverloadScenario("overload-unary",
            new SubmitUnaryScenario("submit-unary", "SubmitOrder, one order a call."), SubmitUnaryScenario.DefaultCopies)),
        ("overload-stream", false, 0, () =>
        {
            var stream = new SubmitStreamScenario(100);
            return new OverloadScenario("overload-stream", stream, stream.DefaultCopies);
        }),
        ("half-load", false, 0, () => new HalfLoadScenario()),
        ("connections", false, 0, () => new ConnectionsScenario()),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(s => s.Name)];

    /// <summary>A new scenario of this name; null when there is none.</summary>
    public static IScenario? Create(string name) => All.FirstOrDefault(s => s.Name == name).Make?.Invoke();

    /// <summary>The orders it is run with.</summary>
    public static Workload Workload(string name, string runId, bool hot, int skus, int backorders)
    {
        var entry = All.FirstOrDefault(s => s.Name == name);
        return new Workload(runId, hot || entry.Hot, skus, entry.Customers, backorders);
    }
}
