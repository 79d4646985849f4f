// Calls whose message is not there yet. One that comes too slowly costs its connection: what it holds others could use. Kestrel would end all such
// connections at the same tick of its clock, once a second, and what two thousand calls throw when they end stands ahead of everybody's for a tenth of a
// second; here so many end at a time, and Kestrel's own bound, twice as long, is for whoever has no share. A call whose message came with it never
// gets here. Any thread.

using Microsoft.AspNetCore.Connections.Features;

namespace OrderEngine.Server.Access;

/// <summary>Watches over the messages of calls that are no streams, and closes the connections of those that come too slowly.</summary>
internal sealed class SlowMessages : IDisposable
{
    /// <summary>As a reason in the metric of refusals.</summary>
    public const string Reason = "MESSAGE_TOO_SLOW";

    private readonly TimeProvider _time;
    private readonly AccessMetrics _metrics;
    private readonly ITimer _sweep;
    private readonly Lock _sync = new();
    // Who is looked at next comes first: each is looked at every ServerLimits.LowestRateGrace.
    private readonly LinkedList<MessageMeter> _waiting = [];
    private bool _sweeps;

    /// <param name="time">The server's clock.</param>
    /// <param name="metrics">Counts what is closed.</param>
    public SlowMessages(TimeProvider time, AccessMetrics metrics)
    {
        (_time, _metrics) = (time, metrics);
        _sweep = time.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Calls that wait for their message.</summary>
    public int Count
    {
        get
        {
            lock (_sync) return _waiting.Count;
        }
    }

    /// <summary>A call waits for its message, until it leaves.</summary>
    public void Enter(MessageMeter call)
    {
        lock (_sync)
        {
            call.Since = _time.GetTimestamp();
            call.LookedAt = call.Since;
            _waiting.AddLast(call.Waiting);
            if (_sweeps) return;
            _sweeps = true;
            _sweep.Change(ServerLimits.LowestRateGrace, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The call has ended, or its message is there.</summary>
    public void Leave(MessageMeter call)
    {
        lock (_sync)
            if (call.Waiting.List is not null) _waiting.Remove(call.Waiting);
    }

    /// <inheritdoc/>
    public void Dispose() => _sweep.Dispose();

    private void Sweep()
    {
        List<IConnectionLifetimeFeature>? slow = null;
        lock (_sync)
        {
            var now = _time.GetTimestamp();
            for (var looks = 0; looks < ServerLimits.SlowMessagesAtOnce && _waiting.First is { } first && Left(first, now) <= TimeSpan.Zero; looks++)
            {
                _waiting.RemoveFirst();
                first.Value.LookedAt = now;
                // Found here, since the call may end as soon as the lock is free; a connection is whose it is for as long as it lasts.
                if (first.Value.Bytes < ServerLimits.LowestRate * _time.GetElapsedTime(first.Value.Since, now).TotalSeconds) (slow ??= []).Add(first.Value.Connection);
                else _waiting.AddLast(first);
            }
            _sweeps = _waiting.First is not null;
            if (_waiting.First is { } next)
            {
                var left = Left(next, now);
                _sweep.Change(left > ServerLimits.SlowMessagesPause ? left : ServerLimits.SlowMessagesPause, Timeout.InfiniteTimeSpan);
            }
        }
        if (slow is null) return;
        foreach (var connection in slow.Distinct())
        {
            _metrics.Refused(Reason);
            connection.Abort();
        }
    }

    private TimeSpan Left(LinkedListNode<MessageMeter> call, long now) => ServerLimits.LowestRateGrace - _time.GetElapsedTime(call.Value.LookedAt, now);
}
