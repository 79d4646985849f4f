// A result with something of everything in it, for tests of thresholds and reports.

using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Tests;

internal static class SampleResults
{
    public static RunResult Run(string description = "SubmitOrder, one order a call.", long missing = 0)
    {
        var phase = new PhaseRecorder("keep-constant", "submit-unary", 0);
        for (var i = 1; i <= 1_000; i++) phase.RecordMain(Response.Ok(), i * 2 * MachineClock.Millisecond - i * 10_000L, i * 2 * MachineClock.Millisecond);
        phase.RecordMain(Response.Refuse("QUEUE_FULL"), 0, MachineClock.Millisecond);
        phase.Step("delivery").Record(Response.Ok(), 5 * MachineClock.Millisecond);
        phase.SendLag.Record(250_000);
        phase.End = 2 * MachineClock.Second;
        return new RunResult
        {
            Scenario = "submit-unary",
            Description = description,
            Unit = "orders",
            Address = "http://127.0.0.1:5080",
            Started = new DateTimeOffset(2026, 11, 22, 5, 0, 0, TimeSpan.Zero),
            Machine = new Machine("Processor", 2, "Linux", ".NET 10", 23.5),
            MainPhase = "keep-constant",
            Load = ["keep-constant: keep 64 copies for 2 s"],
            Phases = [ResultBuilder.Phase(phase, null, null) with { Server = new ProcessFigures(1.25, 100 << 20, 110 << 20, 120 << 20) }],
            Resources = [new ResourcePoint(0.5, 0.5, 1.2, 1 << 20, 2 << 20), new ResourcePoint(1, 0.6, 1.3, 1 << 20, 3 << 20)],
            Ledger = new LedgerReport { Mode = LedgerMode.Snapshot, Acknowledged = 1_000, Confirmed = 1_000 - missing, Missing = missing, Examples = missing > 0 ? ["x-7 was acknowledged and is not there"] : [] },
        };
    }
}
