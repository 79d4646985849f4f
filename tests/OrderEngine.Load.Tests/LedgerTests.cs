using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public class LedgerTests
{
    private const int Orders = 100;

    [Theory]
    [InlineData(LedgerMode.Snapshot)]
    [InlineData(LedgerMode.Lookup)]
    public async Task An_honest_server_passes(LedgerMode mode)
    {
        var report = await CheckAsync(Fault.None, mode);
        Assert.True(report.Passed);
        Assert.Equal((Orders, Orders, 0, 0), (report.Acknowledged, report.Confirmed, report.Missing, report.Doubled));
        Assert.Empty(report.Examples);
    }

    [Theory]
    [InlineData(LedgerMode.Snapshot)]
    [InlineData(LedgerMode.Lookup)]
    public async Task A_lost_order_is_found(LedgerMode mode)
    {
        var report = await CheckAsync(Fault.Loses, mode);
        Assert.False(report.Passed);
        Assert.Equal((Orders, Orders - 1, 1), (report.Acknowledged, report.Confirmed, report.Missing));
        Assert.Contains("was acknowledged and is not there", Assert.Single(report.Examples), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_doubled_order_is_found()
    {
        var report = await CheckAsync(Fault.Doubles, LedgerMode.Snapshot);
        Assert.False(report.Passed);
        Assert.Equal((1, 0, Orders), (report.Doubled, report.Missing, report.Confirmed));
        Assert.Contains("twice", Assert.Single(report.Examples), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Altered_lines_are_found() => Assert.Equal((false, 1), await AlteredAsync(Fault.AltersLines));

    [Fact]
    public async Task Another_id_than_was_acknowledged_is_found() => Assert.Equal((false, 1), await AlteredAsync(Fault.OtherId));

    [Fact]
    public async Task An_order_that_was_refused_and_is_there_all_the_same_is_found()
    {
        await using var server = await FakeEngine.StartAsync(Fault.AcceptsWhatItRefused);
        using var run = Run(server, LedgerMode.Snapshot);
        await StreamAsync(run, new SubmitStreamScenario(20), Orders / 20);
        Assert.Equal(1, run.Ledger.Refused);
        var report = await LedgerCheck.RunAsync(run, CancellationToken.None);
        Assert.False(report.Passed);
        Assert.Equal((1, Orders - 1), (report.RefusedButThere, report.Confirmed));
    }

    [Fact]
    public void A_replay_must_name_the_same_order()
    {
        var ledger = new OrderLedger();
        ledger.Acknowledge(5, "o1");
        ledger.Acknowledge(5, "o1");
        Assert.Equal((1, 0), (ledger.Acknowledged, ledger.Contradicted));
        ledger.Acknowledge(5, "o2");
        Assert.Equal((1, 1), (ledger.Acknowledged, ledger.Contradicted));
    }

    [Fact]
    public void A_refused_order_that_is_accepted_later_is_acknowledged()
    {
        var ledger = new OrderLedger();
        ledger.Refuse(100_000);
        Assert.True(ledger.IsRefused(100_000));
        ledger.Acknowledge(100_000, "o1");
        Assert.True(ledger.IsAcknowledged(100_000));
        Assert.Equal((1, 0), (ledger.Acknowledged, ledger.Refused));
    }

    [Fact]
    public void An_order_is_the_same_every_time_it_is_made_and_hot_ones_are_half_on_ten_skus()
    {
        var workload = new Workload("run", hot: true);
        var first = workload.Next(20_000);
        var (one, again) = (new SubmitOrderRequest(), new SubmitOrderRequest());
        workload.Fill(again, first + 11);
        workload.Fill(one, first + 10);
        workload.Fill(again, first + 10);
        Assert.Equal(one, again);
        Assert.True(workload.TryIndex(one.Order.ExternalOrderId, out var index));
        Assert.Equal(first + 10, index);
        Assert.False(workload.TryIndex("other-10", out _));
        Assert.False(workload.TryIndex("run-20000", out _));
        var lines = Enumerable.Range(0, 20_000).SelectMany(i => Enumerable.Range(0, Workload.LinesPerOrder).Select(l => workload.Line(i, l))).ToList();
        Assert.InRange(lines.Count(l => l.Sku < Workload.HotSkus) / (double)lines.Count, 0.49, 0.51);
        Assert.All(lines, l => Assert.InRange(l.Quantity, 1, 3));
    }

    [Fact]
    public void Backorders_are_so_many_and_one_in_twenty_after_them()
    {
        const int before = 100;
        var workload = new Workload("run", backorders: before);
        var request = new SubmitOrderRequest();
        var waited = workload.Catalog[^1];
        Assert.DoesNotContain(waited, workload.Skus);
        var waiting = Enumerable.Range(0, 10 * before).Where(index =>
        {
            workload.Fill(request, index);
            return request.Order.Lines.Any(line => line.SkuId == waited);
        }).ToList();
        Assert.Equal(Enumerable.Range(0, 10 * before).Where(index => index < before || index % 20 == 0), waiting);
        Assert.Equal(AllocationPolicy.PartialBackorder, request.Order.AllocationPolicy);
    }

    [Theory]
    [InlineData(Fault.None, "")]
    [InlineData(Fault.RepeatsAnEvent, "out of sequence or twice")]
    [InlineData(Fault.CutsTheStream, "cut off")]
    public async Task A_subscriber_notices_what_its_stream_does_wrong(Fault fault, string finding)
    {
        await using var server = await FakeEngine.StartAsync(fault);
        using var run = Run(server, LedgerMode.Snapshot, customers: FanOutScenario.CustomersOfRun);
        var scenario = new FanOutScenario("fanout-1", takeAll: 1, filtered: 0);
        await scenario.InitAsync(run, CancellationToken.None);
        await StreamAsync(run, scenario, messages: 3);
        var findings = await scenario.CleanAsync(run, CancellationToken.None);
        if (finding.Length == 0) Assert.Empty(findings.Failures);
        else Assert.Contains(findings.Failures, f => f.Contains(finding, StringComparison.Ordinal));
    }

    private static async Task<(bool, long)> AlteredAsync(Fault fault)
    {
        var report = await CheckAsync(fault, LedgerMode.Snapshot);
        return (report.Passed, report.Altered);
    }

    private static async Task<LedgerReport> CheckAsync(Fault fault, LedgerMode mode)
    {
        await using var server = await FakeEngine.StartAsync(fault);
        using var run = Run(server, mode);
        Assert.Equal(Orders, (await SubmitBulkScenario.MakeAsync(run, Orders, CancellationToken.None)).Count);
        return await LedgerCheck.RunAsync(run, CancellationToken.None);
    }

    private static async Task StreamAsync(RunContext run, Model.IScenario scenario, int messages)
    {
        if (scenario is SubmitStreamScenario) await scenario.InitAsync(run, CancellationToken.None);
        var phase = new PhaseRecorder("test", scenario.Name, 0);
        for (var i = 0; i < messages; i++)
            await scenario.RunAsync(new Invocation(i, i, run.Clock.Now, run.Clock, phase, CancellationToken.None));
        if (scenario is SubmitStreamScenario) await scenario.CleanAsync(run, CancellationToken.None);
    }

    private static RunContext Run(FakeEngine server, LedgerMode mode, int customers = 0) =>
        new(new RunSettings { Address = server.Address, Ledger = mode }, new Workload("test", customers: customers), MachineClock.Instance);
}
