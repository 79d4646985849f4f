// How much one client may leave in journal and memory by requests that are refused: a refusal that binds its request id is kept for 24 hours, and
// whoever repeats what is refused under new ids could fill both. Any thread.

namespace OrderEngine.Server.Access;

/// <summary>A level that refusals raise and that sinks by the whole allowance in a day; while it is full, no change is taken.</summary>
/// <param name="bytes">Of recorded refusals, at once or in a day.</param>
/// <param name="time">The server's clock.</param>
internal sealed class RefusalAllowance(long bytes, TimeProvider time)
{
    /// <summary>What a recorded refusal takes beside its event: its place in the table of requests and in the index.</summary>
    public const int BytesEach = 160;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan LeastRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _settling = new();
    private long _level;
    private long _settled = time.GetTimestamp();

    /// <summary>Bytes on record that have not sunk yet, when last looked at.</summary>
    public long Level => Volatile.Read(ref _level);

    /// <summary>A refusal was recorded.</summary>
    public void Take(int eventBytes)
    {
        lock (_settling)
        {
            Settle();
            Volatile.Write(ref _level, _level + eventBytes + BytesEach);
        }
    }

    /// <summary>True while the client must wait.</summary>
    /// <param name="retry">When some is free again; at least a second.</param>
    public bool IsSpent(out TimeSpan retry)
    {
        retry = default;
        if (Volatile.Read(ref _level) < bytes) return false;
        lock (_settling)
        {
            Settle();
            if (_level < bytes) return false;
            retry = Day * ((double)(_level - bytes + 1) / bytes);
            if (retry < LeastRetry) retry = LeastRetry;
            return true;
        }
    }

    private void Settle()
    {
        var now = time.GetTimestamp();
        var sunk = (long)(bytes * (time.GetElapsedTime(_settled, now) / Day));
        // Too little to sink a byte: the time counts on.
        if (sunk == 0) return;
        _settled = now;
        Volatile.Write(ref _level, Math.Max(0, _level - sunk));
    }
}
