// The two bounded lanes in front of the writer. Any thread puts in; the writer alone takes out.

using System.Threading.Channels;

namespace OrderEngine.Engine;

internal sealed class Intake : IDisposable
{
    private readonly Channel<PendingCommand> _normal;
    private readonly Channel<PendingCommand> _priority;
    private readonly WakeSignal _work = new();
    private int _priorityInARow;

    public Intake(EngineOptions options)
    {
        _normal = Create(options.NormalQueueCapacity);
        _priority = Create(options.PriorityQueueCapacity);
    }

    /// <summary>Commands that wait in a lane.</summary>
    public int Length(Lane lane) => Of(lane).Reader.Count;

    /// <summary>True when no command will come any more. Writer only.</summary>
    public bool IsDrained => _normal.Reader.Completion.IsCompleted && _priority.Reader.Completion.IsCompleted;

    /// <summary>Queues a command; false at once when the lane is full or closed.</summary>
    public bool TryPut(Lane lane, PendingCommand pending)
    {
        if (!Of(lane).Writer.TryWrite(pending)) return false;
        _work.Set();
        return true;
    }

    /// <summary>Queues a command as soon as the lane has room; false when the lane was closed before.</summary>
    public async ValueTask<bool> PutAsync(Lane lane, PendingCommand pending, CancellationToken cancellation)
    {
        try
        {
            // A write that had to wait gets in when the writer takes something out: it is running then and sees it.
            await Of(lane).Writer.WriteAsync(pending, cancellation);
        }
        catch (ChannelClosedException)
        {
            return false;
        }
        _work.Set();
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
        if (_normal.Reader.TryRead(out pending)) return pending;
        return TakePriority(out pending) ? pending : null;
    }

    /// <summary>Commands that are there now. Writer only.</summary>
    public int Ready => _normal.Reader.Count + _priority.Reader.Count;

    /// <summary>Tells the writer that there is something to look at: a timer, an import, a failure.</summary>
    public void Wake() => _work.Set();

    /// <summary>Blocks the writer until something was put in or <see cref="Wake"/> was called since the last return.</summary>
    public void WaitForWork() => _work.Wait();

    /// <summary>Takes nothing new; what is in stays to be taken out.</summary>
    public void Close()
    {
        _normal.Writer.TryComplete();
        _priority.Writer.TryComplete();
        _work.Set();
    }

    public void Dispose() => _work.Dispose();

    private bool TakePriority(out PendingCommand? pending)
    {
        if (!_priority.Reader.TryRead(out pending)) return false;
        _priorityInARow++;
        return true;
    }

    private Channel<PendingCommand> Of(Lane lane) => lane == Lane.Priority ? _priority : _normal;

    private static Channel<PendingCommand> Create(int capacity) => Channel.CreateBounded<PendingCommand>(
        new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait, AllowSynchronousContinuations = false });
}
