// One subscriber of WatchOrders that measures how long an order takes to reach it and checks that it misses and repeats nothing.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>Follows the run's orders: all of them, or those of one customer. One reading task.</summary>
internal sealed class OrderSubscriber : IAsyncDisposable
{
    private readonly RunContext _run;
    private readonly ChunkedLongs _sentAt;
    private readonly Action<long> _delivered;
    private readonly CancellationTokenSource _stop = new();
    private readonly AsyncServerStreamingCall<WatchedMessage> _call;
    private readonly TaskCompletionSource _mayRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private long _received;
    private long _lastSequence;
    private long _outOfOrder;
    private string? _broken;

    /// <summary>Starts following from <paramref name="token"/>. A stopped one opens the stream and reads nothing until it is released.</summary>
    public OrderSubscriber(RunContext run, Method<WatchOrdersRequest, WatchedMessage> watch, EngineConnection connection, string token, long? customer, ChunkedLongs sentAt, Action<long> delivered, bool stopped = false)
    {
        _run = run;
        _sentAt = sentAt;
        _delivered = delivered;
        Customer = customer;
        Stopped = stopped;
        var filter = new WatchFilter { ChannelIds = { run.Workload.ChannelId } };
        if (customer is { } number) filter.CustomerIds.Add(Workload.CustomerId(number));
        _call = connection.Invoker.AsyncServerStreamingCall(watch, null, new CallOptions(cancellationToken: _stop.Token), new WatchOrdersRequest { Filter = filter, ResumeToken = token });
        if (!stopped) _mayRead.SetResult();
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>The customer it follows; null: all.</summary>
    public long? Customer { get; }

    /// <summary>It did not read at first.</summary>
    public bool Stopped { get; }

    /// <summary>Orders told as submitted.</summary>
    public long Received => Interlocked.Read(ref _received);

    public long OutOfOrder => Interlocked.Read(ref _outOfOrder);

    /// <summary>Why the stream ended, if it did.</summary>
    public string? Broken => Volatile.Read(ref _broken);

    /// <summary>Lets a stopped one read.</summary>
    public void Release() => _mayRead.TrySetResult();

    /// <summary>A token from which nothing that is submitted later can be missed: that of a message that tells of an order just submitted.</summary>
    public static async Task<string> TokenAsync(RunContext run, CancellationToken cancellationToken)
    {
        var request = new WatchOrdersRequest { SnapshotFirst = true, Filter = new WatchFilter { ChannelIds = { run.Workload.ChannelId } } };
        using var call = run.First.Tracking.WatchOrders(request, cancellationToken: cancellationToken);
        await foreach (var message in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            var snapshotOver = message.ContentCase != WatchOrdersResponse.ContentOneofCase.Snapshot || message.Snapshot.Last;
            if (snapshotOver && message.ResumeToken.Length > 0) return message.ResumeToken;
        }
        throw new InvalidOperationException("the stream ended without a resume token");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Release();
        await _reading;
        _call.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            await _mayRead.Task;
            await foreach (var message in _call.ResponseStream.ReadAllAsync(_stop.Token)) Take(message);
            Volatile.Write(ref _broken, "STREAM_ENDED");
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            if (!_stop.IsCancellationRequested) Volatile.Write(ref _broken, Outcomes.FromException(exception).Status);
        }
    }

    private void Take(WatchedMessage message)
    {
        var now = _run.Clock.Now;
        foreach (var (sequence, submitted) in message.Events)
        {
            if (sequence <= _lastSequence) Interlocked.Increment(ref _outOfOrder);
            _lastSequence = sequence;
            if (submitted == WatchedMessage.NoOrder) continue;
            Interlocked.Increment(ref _received);
            var sent = _sentAt[submitted];
            if (sent > 0) _delivered(now - sent);
        }
    }
}
