// A status stream with many readers: fan-out to 1, 100, 1,000 subscribers, and one that has stopped reading.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>
/// Orders are submitted over streams while subscribers follow them: some that take all, some that take the orders of one customer in a
/// thousand. Step "delivery" is from sending an order to a subscriber's having it. At the end every subscriber must have had every order
/// that is its own, once and in sequence.
/// </summary>
public sealed class FanOutScenario : IScenario
{
    /// <summary>Customers the orders are spread over: a filtered subscriber gets 0.1 % of them.</summary>
    public const int CustomersOfRun = 1_000;

    /// <summary>The phase in which one subscriber does not read.</summary>
    public const string WithStopped = "with-stopped";

    private const string Alone = "all-reading";
    private const string Delivery = "delivery";
    private const int OrdersPerMessage = 20;
    private const double SlowMessagesPerSecond = 100;
    private const int FanOutCopies = 64;

    private static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(15);

    private readonly int _takeAll;
    private readonly int _filtered;
    private readonly bool _oneStops;
    private readonly SubmitStreamScenario _submit;
    private readonly ChunkedLongs _sentAt = new();
    private readonly List<OrderSubscriber> _subscribers = [];
    private RunContext _run = null!;
    private Method<WatchOrdersRequest, WatchedMessage> _watch = null!;
    private Action<string, Response, long>? _record;
    private string _token = "";
    private long _madeBefore;

    public FanOutScenario(string name, int takeAll, int filtered, bool oneStops = false)
    {
        Name = name;
        _takeAll = takeAll;
        _filtered = filtered;
        _oneStops = oneStops;
        _submit = new SubmitStreamScenario(OrdersPerMessage) { Name = name };
    }

    public string Name { get; }

    public string Description => _oneStops
        ? $"{SlowMessagesPerSecond * OrdersPerMessage:N0} orders a second to {_takeAll} subscribers that take all; in the second half one more opens a stream and does not read."
        : $"Streams of {OrdersPerMessage} orders a message, {_takeAll} subscribers that take all and {_filtered:N0} that take one customer in {CustomersOfRun:N0}.";

    // The no-op server has no stream to follow.
    public bool HasCeiling => false;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => _oneStops
        ?
        [
            LoadSimulation.Inject(SlowMessagesPerSecond, during / 2, Alone),
            LoadSimulation.Inject(SlowMessagesPerSecond, during / 2, WithStopped),
        ]
        : [LoadSimulation.KeepConstant(FanOutCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        _watch = WatchedMessage.MethodFor(run.Workload);
        await _submit.InitAsync(run, cancellationToken);
        _submit.Sending = (first, count) =>
        {
            var now = run.Clock.Now;
            for (var i = 0; i < count; i++) _sentAt[first + i] = now;
        };
        _madeBefore = run.Workload.Made;
        _token = await OrderSubscriber.TokenAsync(run, cancellationToken);
        for (var i = 0; i < _takeAll; i++) _subscribers.Add(Subscribe(i, null));
        for (var i = 0; i < _filtered; i++) _subscribers.Add(Subscribe(_takeAll + i, i % CustomersOfRun));
    }

    public Task BeginPhaseAsync(PhaseRecorderView phase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(phase);
        Volatile.Write(ref _record, phase.Record);
        // What it is told is not counted in the delivery of the others.
        if (phase.Name == WithStopped) _subscribers.Add(new OrderSubscriber(_run, _watch, _run.Connection(1), _token, null, _sentAt, static _ => { }, stopped: true));
        return Task.CompletedTask;
    }

    public ValueTask<Response> RunAsync(Invocation invocation) => _submit.RunAsync(invocation);

    public async Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        await _submit.CleanAsync(run, cancellationToken);
        foreach (var subscriber in _subscribers) subscriber.Release();
        var expected = Expected();
        var until = run.Clock.Now + (long)CatchUp.TotalNanoseconds;
        var begun = run.Clock.Now;
        while (_subscribers.Any(s => s.Broken is null && s.Received < expected(s.Customer)) && run.Clock.Now < until)
            await run.Clock.WaitUntilAsync(run.Clock.Now + 10 * MachineClock.Millisecond, cancellationToken);
        var failures = _subscribers.SelectMany((subscriber, number) => Check(subscriber, number, expected(subscriber.Customer))).ToList();
        var notes = new List<string>
        {
            FormattableString.Invariant($"{_subscribers.Sum(s => s.Received):N0} orders were told to {_subscribers.Count:N0} subscribers; the last had all {(run.Clock.Now - begun) / 1e9:0.00} s after the load."),
        };
        await Task.WhenAll(_subscribers.Select(s => s.DisposeAsync().AsTask()));
        return new ScenarioFindings(notes, [.. failures.Take(LedgerCheck.MaxExamples)]);
    }

    private OrderSubscriber Subscribe(int number, long? customer) =>
        new(_run, _watch, _run.Connection(number), _token, customer, _sentAt, nanos => Volatile.Read(ref _record)?.Invoke(Delivery, Response.Ok(), nanos));

    // What each must have: acknowledged orders since the token, all or of one customer.
    private Func<long?, long> Expected()
    {
        var perCustomer = new long[CustomersOfRun];
        long all = 0;
        for (var index = _madeBefore; index < _run.Workload.Made; index++)
        {
            if (!_run.Ledger.IsAcknowledged(index)) continue;
            all++;
            perCustomer[index % CustomersOfRun]++;
        }
        return customer => customer is { } number ? perCustomer[number] : all;
    }

    private static IEnumerable<string> Check(OrderSubscriber subscriber, int number, long expected)
    {
        var who = subscriber.Stopped ? "the subscriber that had stopped" : $"subscriber {number}";
        if (subscriber.Broken is { } status) yield return $"{who} was cut off ({status}) after {subscriber.Received:N0} of {expected:N0} orders";
        else if (subscriber.Received < expected) yield return $"{who} had {subscriber.Received:N0} of {expected:N0} orders: a gap";
        if (subscriber.OutOfOrder > 0) yield return $"{who} had {subscriber.OutOfOrder:N0} events out of sequence or twice";
    }
}
