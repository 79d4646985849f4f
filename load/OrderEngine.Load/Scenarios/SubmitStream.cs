// Orders over streams: submit-stream-1, -20, -100, -1000. A few streams, each with several messages on their way.

using System.Collections.Concurrent;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>StreamSubmitOrders, so many orders a message. Latency is that of a message: until its last order is answered.</summary>
public sealed class SubmitStreamScenario(int ordersPerMessage) : IScenario
{
    /// <summary>Streams.</summary>
    public const int Streams = 4;

    // Orders on the way on one stream: enough to keep a flush busy while the next gathers, below what the server lets a stream have undecided.
    private const int OrdersOnTheWay = 2_000;
    private const int MaxWindow = 256;
    private const int MinWindow = 3;

    private readonly ConcurrentBag<StreamedBatch> _batches = [];
    private readonly OrderStream?[] _streams = new OrderStream?[Streams];
    private readonly Lock _opening = new();
    private RunContext _run = null!;

    public string Name { get; init; } = $"submit-stream-{ordersPerMessage}";

    public string Description => $"StreamSubmitOrders, {ordersPerMessage} orders a message, {Streams} streams.";

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    /// <summary>Messages on the way over all streams.</summary>
    public int DefaultCopies => Streams * Math.Clamp(OrdersOnTheWay / ordersPerMessage, MinWindow, MaxWindow);

    // A stream's sender is slowed, not refused: what does not fit is held back where it comes from, not queued in front of the stream.
    public int MaxUnanswered => DefaultCopies;

    /// <summary>Told of every message's first index and order count just before it is sent.</summary>
    internal Action<long, int>? Sending { get; set; }

    public Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        return Task.CompletedTask;
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        if (!_batches.TryTake(out var batch)) batch = new StreamedBatch();
        batch.Prepare(_run.Workload, ordersPerMessage);
        Sending?.Invoke(batch.FirstIndex, ordersPerMessage);
        Stream((int)(invocation.Copy % Streams)).Send(batch);
        // A batch that is given up while on its way may still be written: it does not go back to the pool.
        await batch.Completion.Task.WaitAsync(invocation.Stop);
        var response = batch.Response;
        // One that failed may be so, too.
        if (response.Status.Length == 0) _batches.Add(batch);
        return response;
    }

    public async Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken)
    {
        foreach (var stream in _streams)
        {
            if (stream is not null) await stream.DisposeAsync();
        }
        return ScenarioFindings.None;
    }

    private OrderStream Stream(int number)
    {
        var stream = Volatile.Read(ref _streams[number]);
        if (stream is { IsBroken: false }) return stream;
        lock (_opening)
        {
            if (_streams[number] is { IsBroken: false } opened) return opened;
            stream = new OrderStream(_run, _run.Connection(number));
            Volatile.Write(ref _streams[number], stream);
            return stream;
        }
    }
}
