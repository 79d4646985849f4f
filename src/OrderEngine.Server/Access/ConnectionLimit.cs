// Which connections are let in: so many in all and from one address, and so many new ones in a second. It stands before TLS, so that a connection
// that waits or is refused costs a socket and no handshake. Any thread.

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace OrderEngine.Server.Access;

/// <summary>Counts connections, lets new ones in at a steady pace, and closes those that are too many.</summary>
internal sealed class ConnectionLimit : IDisposable
{
    // Addresses that are remembered before those that nobody comes from any more are looked for.
    private const int FewAddresses = 1_024;

    private const int RefusedSteps = 1_000;

    private readonly ServerOptions _options;
    private readonly TimeProvider _time;
    private readonly AccessMetrics _metrics;
    private readonly Turns _turns;
    private readonly Action _collect;
    private readonly Lock _counting = new();
    private readonly Dictionary<(ulong Prefix, bool IsV6), Origin> _origins = [];
    private Pace _pace;
    private int _open;
    private int _refused;
    private int _changes;
    private long _collected;
    private int _manyAddresses = FewAddresses;

    /// <param name="options">The limits.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="metrics">Counts those that are closed.</param>
    /// <param name="turns">In which calls begin.</param>
    /// <param name="collect">Collects what is young; called for every <see cref="ServerLimits.ConnectionsPerCollection"/> that come or go.</param>
    public ConnectionLimit(ServerOptions options, TimeProvider time, AccessMetrics metrics, Turns turns, Action collect)
    {
        (_options, _time, _metrics, _turns, _collect) = (options, time, metrics, turns, collect);
        _collected = time.GetTimestamp() - (long)(ServerLimits.LeastBetweenCollections.TotalSeconds * time.TimestampFrequency);
        metrics.ObserveConnections(() => Volatile.Read(ref _open));
    }

    private enum Verdict
    {
        Serve,
        TooMany,
        TooManyFromAddress,
        TooFast,
    }

    /// <summary>Addresses that are remembered.</summary>
    internal int Addresses
    {
        get
        {
            lock (_counting) return _origins.Count;
        }
    }

    /// <summary>Serves a connection, when its turn comes, unless there are too many.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var shown = ShownCredential.Attach(connection);
        var address = AddressOf(connection.RemoteEndPoint);
        var verdict = Enter(address, out var wait, out var origin);
        if (verdict is Verdict.TooMany or Verdict.TooManyFromAddress)
        {
            _metrics.Refused(verdict == Verdict.TooMany ? "CONNECTIONS" : "CONNECTIONS_OF_ADDRESS");
            connection.Abort();
            return;
        }
        try
        {
            if (wait > TimeSpan.Zero) await Task.Delay(wait, _time, connection.ConnectionClosed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (verdict == Verdict.TooFast)
            {
                // Not at once: whoever comes again as soon as he is shut out would keep a processor busy with that alone.
                _metrics.Refused("NEW_CONNECTIONS");
                connection.Abort();
            }
            else if (!connection.ConnectionClosed.IsCancellationRequested)
            {
                using var turns = _turns.Join();
                shown.Serve(turns, origin!, CutOff);
                ComesOrGoes();
                await next(new TurnConnection(connection, turns, shown));
            }
        }
        finally
        {
            Leave(address);
            shown.Ended();
            ComesOrGoes();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _metrics.ObserveConnections(null);

    /// <summary>What counts as one address: of IPv6 its first half, since whoever has one address there has all of that half.</summary>
    internal static (ulong Prefix, bool IsV6) AddressOf(EndPoint? remote)
    {
        if ((remote as IPEndPoint)?.Address is not { } address) return default;
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && !address.IsIPv4MappedToIPv6 && address.TryWriteBytes(bytes, out _))
            return (BinaryPrimitives.ReadUInt64BigEndian(bytes), true);
        address.MapToIPv4().TryWriteBytes(bytes, out _);
        return (BinaryPrimitives.ReadUInt32BigEndian(bytes), false);
    }

    private Verdict Enter((ulong, bool) address, out TimeSpan wait, out Origin? origin)
    {
        wait = default;
        origin = null;
        var now = _time.GetTimestamp();
        lock (_counting)
        {
            if (_open >= _options.MaxConnections) return Verdict.TooMany;
            if (!_origins.TryGetValue(address, out origin))
            {
                Forget(now);
                _origins.Add(address, origin = new Origin());
            }
            if (origin.Open >= _options.MaxConnectionsPerAddress) return Verdict.TooManyFromAddress;
            origin.Open++;
            _open++;
            wait = Time(Math.Max(Next(origin.Pace, _options.NewConnectionsPerSecondPerAddress), Next(_pace, _options.NewConnectionsPerSecond)));
            if (wait > ServerLimits.LongestConnectionWait)
            {
                // They came together; they need not go together.
                wait = ServerLimits.RefusedConnectionHold * (1 + (double)(_refused++ % RefusedSteps) / RefusedSteps);
                return Verdict.TooFast;
            }
            // Only who is served takes a turn: an address that is beyond its own pace takes none from others.
            origin.Pace.Take(now, _time.TimestampFrequency, _options.NewConnectionsPerSecondPerAddress);
            _pace.Take(now, _time.TimestampFrequency, _options.NewConnectionsPerSecond);
            return Verdict.Serve;
        }

        long Next(Pace pace, int perSecond) => pace.Next(now, _time.TimestampFrequency, perSecond, AtOnce(perSecond));
    }

    // One connection's worth of nothing costs its address as much as many: who comes again and again waits. Others behind the same address wait, too, but
    // no longer than any new connection may, and those that they have are as good as before.
    private void CutOff(object origin)
    {
        _metrics.Refused("WASTED_CALLS");
        var now = _time.GetTimestamp();
        var perSecond = _options.NewConnectionsPerSecondPerAddress;
        lock (_counting)
        {
            var pace = (Origin)origin;
            for (var i = 0; i < ServerLimits.CutOffCost; i++)
            {
                if (Time(pace.Pace.Next(now, _time.TimestampFrequency, perSecond, AtOnce(perSecond))) > ServerLimits.LongestConnectionWait) return;
                pace.Pace.Take(now, _time.TimestampFrequency, perSecond);
            }
        }
    }

    // All that makes up a connection lives on until it ends, and a pause is as long as what lives on is large: rather many short ones than a long one.
    private void ComesOrGoes()
    {
        if (Interlocked.Increment(ref _changes) < ServerLimits.ConnectionsPerCollection) return;
        var last = Volatile.Read(ref _collected);
        var now = _time.GetTimestamp();
        if (_time.GetElapsedTime(last, now) < ServerLimits.LeastBetweenCollections || Interlocked.CompareExchange(ref _collected, now, last) != last) return;
        Volatile.Write(ref _changes, 0);
        _collect();
    }

    private void Leave((ulong, bool) address)
    {
        lock (_counting)
        {
            _open--;
            _origins[address].Open--;
        }
    }

    // Whoever has nothing open and has used up nothing of his pace is as good as new. Each look costs as many steps as addresses came since the last.
    private void Forget(long now)
    {
        if (_origins.Count < _manyAddresses) return;
        foreach (var (address, origin) in _origins)
            if (origin.Open == 0 && origin.Pace.IsUnused(now)) _origins.Remove(address);
        _manyAddresses = Math.Max(FewAddresses, 2 * _origins.Count);
    }

    private static int AtOnce(int perSecond) => Math.Max(1, perSecond / ServerLimits.ConnectionBursts);

    private TimeSpan Time(long ticks) => TimeSpan.FromSeconds((double)ticks / _time.TimestampFrequency);

    private sealed class Origin
    {
        public int Open;
        public Pace Pace;
    }
}
