// The two bounded lanes in front of the writer, each with one queue for single calls and one for streams. Any thread puts in; the writer alone takes
// out, by turns where both wait: a stream that fills its queue does not leave single calls without room or without a turn.

using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace OrderEngine.Engine;

internal sealed class Intake : IDisposable
{
    private readonly Queues _normal;
    private readonly Queues _priority;
    private readonly WakeSignal _work = new();
    private int _priorityInARow;

    public Intake(EngineOptions options)
    {
        _normal = new Queues(options.NormalQueueCapacity);
        _priority = new Queues(options.PriorityQueueCapacity);
    }

    /// <summary>Commands that wait in a lane.</summary>
    public int Length(Lane lane) => Of(lane).Count;

    /// <summary>Commands of one kind that wait in a lane.</summary>
    public int Length(Lane lane, bool streamed) => (streamed ? Of(lane).Streams : Of(lane).Calls).Reader.Count;

    /// <summary>True when no command will come any more. Writer only.</summary>
    public bool IsDrained => _normal.IsDrained && _priority.IsDrained;

    /// <summary>Queues a command; false at once when the lane has no room for it or is closed.</summary>
    public bool TryPut(Lane lane, PendingCommand pending, bool isStreamed = false)
    {
        if (!(isStreamed ? Of(lane).Streams : Of(lane).Calls).Writer.TryWrite(pending)) return false;
        _work.Set();
        return true;
    }

    /// <summary>Queues a command of a stream when the lane has room for it; false when the lane was closed before. One that finds it full waits until
    /// half of it is empty: woken for each place, a stream would pay for a wake-up with every command.</summary>
    public async ValueTask<bool> PutAsync(Lane lane, PendingCommand pending, CancellationToken cancellation)
    {
        while (!TryPut(lane, pending, isStreamed: true))
        {
            if (!await Of(lane).WaitForRoomAsync(cancellation)) return false;
        }
        return true;
    }

    /// <summary>
    /// The next command: of the priority lane first, but after <see cref="EngineBounds.PriorityBurst"/> of it in a row one of the normal lane.
    /// Writer only.
    /// </summary>
    public PendingCommand? Take()
    {
        if (_priorityInARow < EngineBounds.PriorityBurst && TakePriority(out var pending)) return pending;
        _priorityInARow = 0;
        if (_normal.TryTake(out pending)) return pending;
        return TakePriority(out pending) ? pending : null;
    }

    /// <summary>Commands that are there now. Writer only.</summary>
    public int Ready => _normal.Count + _priority.Count;

    /// <summary>Tells the writer that there is something to look at: a timer, an import, a failure.</summary>
    public void Wake() => _work.Set();

    /// <summary>Blocks the writer until something was put in or <see cref="Wake"/> was called since the last return.</summary>
    public void WaitForWork() => _work.Wait();

    /// <summary>Takes nothing new; what is in stays to be taken out.</summary>
    public void Close()
    {
        _normal.Close();
        _priority.Close();
        _work.Set();
    }

    public void Dispose() => _work.Dispose();

    private bool TakePriority([MaybeNullWhen(false)] out PendingCommand pending)
    {
        if (!_priority.TryTake(out pending)) return false;
        _priorityInARow++;
        return true;
    }

    private Queues Of(Lane lane) => lane == Lane.Priority ? _priority : _normal;

    /// <summary>One lane.</summary>
    private sealed class Queues(int capacity)
    {
        private readonly Lock _sync = new();
        private TaskCompletionSource? _room;
        private volatile bool _closed;
        private bool _streamsNext;

        public Channel<PendingCommand> Calls { get; } = Create(capacity);

        public Channel<PendingCommand> Streams { get; } = Create(capacity);

        public int Count => Calls.Reader.Count + Streams.Reader.Count;

        public bool IsDrained => Calls.Reader.Completion.IsCompleted && Streams.Reader.Completion.IsCompleted;

        // Writer only.
        public bool TryTake([MaybeNullWhen(false)] out PendingCommand pending)
        {
            if ((_streamsNext ? Streams : Calls).Reader.TryRead(out pending)) _streamsNext = !_streamsNext;
            else if (!(_streamsNext ? Calls : Streams).Reader.TryRead(out pending)) Interlocked.MemoryBarrier();
            // Seen here at the latest when nothing is left: whoever began to wait before that has seen the places that were taken from, or is seen.
            if (Volatile.Read(ref _room) is not null) TellOfRoom();
            return pending is not null;
        }

        /// <summary>Completes when half of the streams' places are free; false: closed.</summary>
        public async ValueTask<bool> WaitForRoomAsync(CancellationToken cancellation)
        {
            Task room;
            lock (_sync) room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            // The writer may have taken everything, or have closed, before it could see that somebody waits.
            TellOfRoom();
            await room.WaitAsync(cancellation);
            return !_closed;
        }

        private void TellOfRoom()
        {
            if (!_closed && Streams.Reader.Count > capacity / 2) return;
            lock (_sync)
            {
                _room?.TrySetResult();
                _room = null;
            }
        }

        public void Close()
        {
            _closed = true;
            Calls.Writer.TryComplete();
            Streams.Writer.TryComplete();
            TellOfRoom();
        }

        private static Channel<PendingCommand> Create(int capacity) => Channel.CreateBounded<PendingCommand>(
            new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait, AllowSynchronousContinuations = false });
    }
}
