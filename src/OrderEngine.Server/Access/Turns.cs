// Whose calls begin next. Kestrel begins calls in the order in which their bytes were read, and the thread pool knows no clients: a thousand calls of one
// stand ahead of another's one. So no more calls are handed to Kestrel than are begun soon; when there are more, connections wait with theirs unread, and
// clients take turns. What is bounded is calls that use a processor: a call gives its place back when it waits for the first time (for its message, for a
// commit) or ends. Any thread; who need not wait takes no lock.

using System.Threading.Tasks.Sources;

namespace OrderEngine.Server.Access;

/// <summary>The places of calls that begin, of all connections.</summary>
internal sealed class Turns : IDisposable
{
    private readonly int _most;
    private readonly int _turn;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private readonly Lock _sync = new();
    private readonly HashSet<ConnectionTurns> _connections = [];
    private readonly Dictionary<object, Queue<ConnectionTurns>> _waitingOf = [];
    private readonly Queue<object> _round = [];
    private bool _sweeps;
    private int _waiting;
    private int _taken;

    /// <param name="most">Places.</param>
    /// <param name="turn">Of which a connection that waited gets so many at once.</param>
    /// <param name="time">The server's clock.</param>
    public Turns(int most, int turn, TimeProvider time)
    {
        (_most, _turn) = (most, turn);
        _time = time;
        _sweep = time.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Places that are taken.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Connections that wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Now, for the age of what a connection has taken.</summary>
    internal long Now => _time.GetTimestamp();

    internal TimeSpan Age(long timestamp) => _time.GetElapsedTime(timestamp);

    /// <summary>A connection's part; it leaves with it.</summary>
    public ConnectionTurns Join()
    {
        var connection = new ConnectionTurns(this);
        lock (_sync) _connections.Add(connection);
        return connection;
    }

    /// <inheritdoc/>
    public void Dispose() => _sweep.Dispose();

    internal void Leave(ConnectionTurns connection)
    {
        lock (_sync) _connections.Remove(connection);
        connection.Leave();
        GiveBack(connection.TakeAll());
    }

    /// <summary>As many places as there are, up to what is wanted, unless others wait.</summary>
    internal int TryTake(int wanted)
    {
        if (Volatile.Read(ref _waiting) > 0) return 0;
        var over = Interlocked.Add(ref _taken, wanted) - _most;
        if (over <= 0) return wanted;
        var missed = Math.Min(over, wanted);
        GiveBack(missed);
        return wanted - missed;
    }

    internal void GiveBack(int places)
    {
        if (places <= 0) return;
        Interlocked.Add(ref _taken, -places);
        if (Volatile.Read(ref _waiting) == 0) return;
        lock (_sync) Grant();
    }

    internal void Wait(ConnectionTurns connection, object client)
    {
        lock (_sync)
        {
            if (!_waitingOf.TryGetValue(client, out var line)) _waitingOf.Add(client, line = []);
            if (line.Count == 0) _round.Enqueue(client);
            line.Enqueue(connection);
            Interlocked.Increment(ref _waiting);
            // Places may have been given back since it looked.
            Grant();
            if (_sweeps || _waiting == 0) return;
            _sweeps = true;
            _sweep.Change(ServerLimits.LongestTurn, Timeout.InfiniteTimeSpan);
        }
    }

    // A client after another, and of a client a connection after another.
    private void Grant()
    {
        while (_waiting > 0)
        {
            // Not for each place by itself: a turn costs as much as some of its calls.
            if (_most - Volatile.Read(ref _taken) < _turn) return;
            var client = _round.Dequeue();
            var line = _waitingOf[client];
            var connection = line.Dequeue();
            Interlocked.Decrement(ref _waiting);
            if (line.Count > 0) _round.Enqueue(client);
            else _waitingOf.Remove(client);
            Interlocked.Add(ref _taken, _turn);
            if (!connection.Grant(_turn)) Interlocked.Add(ref _taken, -_turn);
        }
    }

    // Some calls never begin (refused by Kestrel, headers without end), and some take long: what they took others get after a while.
    private void Sweep()
    {
        lock (_sync)
        {
            _sweeps = _waiting > 0;
            if (!_sweeps) return;
            var now = _time.GetTimestamp();
            foreach (var connection in _connections)
                if (_time.GetElapsedTime(connection.Since, now) >= ServerLimits.LongestTurn) Interlocked.Add(ref _taken, -connection.TakeAll());
            Grant();
            _sweep.Change(ServerLimits.LongestTurn, Timeout.InfiniteTimeSpan);
        }
    }
}

/// <summary>What one connection has taken. One reader takes; calls give back on any thread.</summary>
internal sealed class ConnectionTurns : IValueTaskSource<int>, IThreadPoolWorkItem, IDisposable
{
    private readonly Turns _turns;
    private ManualResetValueTaskSourceCore<int> _granted;
    private int _grant;
    private int _waits;
    private int _taken;
    private long _since;
    private bool _hasLeft;

    internal ConnectionTurns(Turns turns) => _turns = turns;

    /// <summary>The clock's timestamp.</summary>
    public long Now => _turns.Now;

    /// <summary>How long ago a timestamp of the clock was.</summary>
    public TimeSpan Age(long timestamp) => _turns.Age(timestamp);

    /// <summary>When it last took places, as the clock's timestamp.</summary>
    internal long Since => Volatile.Read(ref _since);

    /// <summary>Places for calls that are about to begin; 0: it must wait for its turn.</summary>
    public int TryTake(int wanted)
    {
        var places = _turns.TryTake(wanted);
        Took(places);
        return places;
    }

    /// <summary>Waits for its turn; so many calls may begin then, 0 after <see cref="Cancel"/>. What it does not use it gives back.</summary>
    /// <param name="client">Whose turn it is.</param>
    public ValueTask<int> WaitAsync(object client)
    {
        _granted.Reset();
        Volatile.Write(ref _waits, 1);
        _turns.Wait(this, client);
        return new ValueTask<int>(this, _granted.Version);
    }

    /// <summary>Waits no longer.</summary>
    public void Cancel()
    {
        if (Interlocked.Exchange(ref _waits, 0) == 1) GoOn(0);
    }

    /// <summary>A call has begun and waits, or has ended.</summary>
    public void GiveBack(int places = 1)
    {
        var gives = 0;
        while (true)
        {
            var taken = Volatile.Read(ref _taken);
            // Others have got it meanwhile.
            if (taken <= 0) return;
            gives = Math.Min(places, taken);
            if (Interlocked.CompareExchange(ref _taken, taken - gives, taken) == taken) break;
        }
        _turns.GiveBack(gives);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cancel();
        _turns.Leave(this);
    }

    void IThreadPoolWorkItem.Execute() => _granted.SetResult(_grant);

    int IValueTaskSource<int>.GetResult(short token) => _granted.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _granted.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _granted.OnCompleted(continuation, state, token, flags);

    // It takes nothing from then on: what it did take at this moment it gives back itself.
    internal void Leave() => Volatile.Write(ref _hasLeft, true);

    internal int TakeAll() => Interlocked.Exchange(ref _taken, 0);

    internal bool Grant(int places)
    {
        if (Interlocked.Exchange(ref _waits, 0) == 0) return false;
        Took(places);
        GoOn(places);
        return true;
    }

    // Behind what others have to do, not ahead of it as a continuation would go on.
    private void GoOn(int places)
    {
        _grant = places;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Took(int places)
    {
        if (places == 0) return;
        Volatile.Write(ref _since, _turns.Now);
        Interlocked.Add(ref _taken, places);
        if (Volatile.Read(ref _hasLeft)) GiveBack(places);
    }
}
