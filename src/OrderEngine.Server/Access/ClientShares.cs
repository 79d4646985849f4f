// What one client may use of the server: calls a second, connections and calls open at once, bytes of their messages, bytes of refusals on record. A client
// is a channel, whichever of its keys it shows, or the holder of a credential for all channels. Any thread.

using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Access;

/// <summary>The shares of all clients.</summary>
/// <param name="requestsPerSecond">Of each; as many may come at once.</param>
/// <param name="refusalBytes">Of each: what its refusals may leave behind in a day.</param>
/// <param name="connections">Of each, open at once.</param>
/// <param name="time">The server's clock.</param>
internal sealed class ClientShares(int requestsPerSecond, long refusalBytes, int connections, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<(string, bool IsChannel), ClientShare> _shares = [];
    private readonly OpenCalls _all = new(ServerLimits.OpenCalls);

    /// <summary>That of a channel, or of a holder; the same one for all of its credentials.</summary>
    public ClientShare Of(string name, string? channel) => _shares.GetOrAdd((channel ?? name, channel is not null), _ => new ClientShare(requestsPerSecond, new RefusalAllowance(refusalBytes, time), connections, _all, time));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var share in _shares.Values) share.Dispose();
    }
}

/// <summary>Calls that are open at once.</summary>
/// <param name="most">There may be.</param>
internal sealed class OpenCalls(int most)
{
    private int _open;

    /// <summary>Begins one; false: there are as many as there may be. Who began leaves.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= most) return true;
        Leave();
        return false;
    }

    /// <summary>Ends one.</summary>
    public void Leave() => Interlocked.Decrement(ref _open);
}

/// <summary>One client's share.</summary>
internal sealed class ClientShare : IDisposable
{
    private const int PartsOfASecond = 10;

    // Streams that wait for their turn: each has one message waiting at most.
    private readonly TokenBucketRateLimiter _rate;
    private readonly int _listCost;
    private readonly int _mostConnections;
    private readonly OpenCalls? _all;
    private readonly TimeProvider _time;
    // One answer of many entries is made at a time: it takes milliseconds, and others' calls some hundredths of one.
    private readonly SemaphoreSlim _listing = new(1);
    private long _paused = long.MinValue;
    private int _connections;
    private int _open;
    private int _lists;
    private long _held;

    /// <param name="requestsPerSecond">Calls a second; as many may come at once.</param>
    /// <param name="refusals">What its refusals may leave behind.</param>
    /// <param name="connections">Open at once.</param>
    /// <param name="all">The calls of all clients; null: nobody counts them.</param>
    /// <param name="time">The server's clock; null: the system's.</param>
    public ClientShare(int requestsPerSecond, RefusalAllowance refusals, int connections = int.MaxValue, OpenCalls? all = null, TimeProvider? time = null)
    {
        Refusals = refusals;
        _time = time ?? TimeProvider.System;
        _all = all;
        _mostConnections = connections;
        _listCost = Math.Min(ServerLimits.ListCost, requestsPerSecond);
        var parts = requestsPerSecond >= PartsOfASecond ? PartsOfASecond : 1;
        _rate = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = requestsPerSecond, TokensPerPeriod = requestsPerSecond / parts, ReplenishmentPeriod = TimeSpan.FromSeconds(1.0 / parts),
            AutoReplenishment = true, QueueLimit = ServerLimits.OpenCallsPerClient, QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>What its refusals may leave behind.</summary>
    public RefusalAllowance Refusals { get; }

    /// <summary>Bytes of messages that its calls hold beyond what each may.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Holds more bytes of messages, or (negative) fewer; false: more than it may. They count either way.</summary>
    public bool Hold(long bytes) => bytes == 0 || Interlocked.Add(ref _held, bytes) <= ServerLimits.MessageBytesPerClient || bytes < 0;

    /// <summary>Takes none of its calls for a while, because a connection of it was of no use.</summary>
    public void Pause() => Volatile.Write(ref _paused, _time.GetTimestamp());

    /// <summary>Waits until no other answer of many entries is made for it. Who waited ends it.</summary>
    public Task BeginListAsync(CancellationToken cancellationToken) => _listing.WaitAsync(cancellationToken);

    /// <summary>The answer is made.</summary>
    public void EndList() => _listing.Release();

    /// <summary>Takes a connection for its own; false: it has as many as it may. Who took one gives it back.</summary>
    public bool TryConnect()
    {
        if (Interlocked.Increment(ref _connections) <= _mostConnections) return true;
        Disconnect();
        return false;
    }

    /// <summary>Gives a connection back.</summary>
    public void Disconnect() => Interlocked.Decrement(ref _connections);

    /// <summary>Begins a call; null, or why it must not begin. Who began leaves.</summary>
    /// <param name="isList">True: it answers with a page of many entries, and counts as <see cref="ServerLimits.ListCost"/> calls.</param>
    /// <param name="retry">When it may be tried again.</param>
    public ErrorReason? TryEnter(bool isList, out TimeSpan retry)
    {
        if (Volatile.Read(ref _paused) != long.MinValue && (retry = PauseLeft()) > TimeSpan.Zero) return ErrorReason.ClientPaused;
        using var lease = _rate.AttemptAcquire(isList ? _listCost : 1);
        if (!lease.IsAcquired)
        {
            if (!lease.TryGetMetadata(MetadataName.RetryAfter, out retry)) retry = TimeSpan.FromSeconds(1);
            return ErrorReason.RateLimited;
        }
        retry = TimeSpan.FromSeconds(1);
        var hasRoom = Interlocked.Increment(ref _open) <= ServerLimits.OpenCallsPerClient;
        if (isList) hasRoom &= Interlocked.Increment(ref _lists) <= ServerLimits.ListsPerClient;
        if (hasRoom && _all?.TryEnter() != false) return null;
        LeaveOwn(isList);
        return ErrorReason.CallLimitReached;
    }

    /// <summary>Ends a call.</summary>
    public void Leave(bool isList)
    {
        _all?.Leave();
        LeaveOwn(isList);
    }

    private TimeSpan PauseLeft() => ServerLimits.PauseOfWaste - _time.GetElapsedTime(Volatile.Read(ref _paused));

    private void LeaveOwn(bool isList)
    {
        if (isList) Interlocked.Decrement(ref _lists);
        Interlocked.Decrement(ref _open);
    }

    /// <summary>Waits for the turn of a stream's next message.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        using var lease = await _rate.AcquireAsync(1, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rate.Dispose();
        _listing.Dispose();
    }
}
