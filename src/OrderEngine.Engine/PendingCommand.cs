// A command between its caller and the writer, and the completion that carries the answer back. Pooled: the hot path allocates nothing.
// Made on the caller's thread, read by the writer, completed by the publisher (or by the writer when it was never decided).

using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using OrderEngine.Core;

namespace OrderEngine.Engine;

internal sealed class PendingCommand : IValueTaskSource<CommandAnswer>
{
    private readonly PendingCommandPool _pool;
    private ManualResetValueTaskSourceCore<CommandAnswer> _completion;

    public PendingCommand(PendingCommandPool pool) => _pool = pool;

    /// <summary>What is asked; null while pooled.</summary>
    public Command? Command { get; private set; }

    /// <summary>True: it came by a stream, which looks at its answers one after the other and goes on on a thread of its own.
    /// False: a single call, which goes on on the thread that completes it.</summary>
    public bool IsStreamed { get; private set; }

    /// <summary>True: decide it, change nothing.</summary>
    public bool IsCheck { get; private set; }

    /// <summary>Microseconds of the engine's clock from which on it must not be applied; 0: none.</summary>
    public long Deadline { get; private set; }

    /// <summary>Whether the caller still wants it; looked at once, when the writer takes it.</summary>
    public CancellationToken Cancellation { get; private set; }

    /// <summary>Notes its way; null: it is not traced.</summary>
    public CommandTrace? Trace { get; private set; }

    public ValueTask<CommandAnswer> Answer => new(this, _completion.Version);

    public void Set(Command command, bool isStreamed, bool isCheck, long deadline, CancellationToken cancellation, CommandTrace? trace = null)
    {
        Command = command;
        IsStreamed = isStreamed;
        _completion.RunContinuationsAsynchronously = isStreamed;
        IsCheck = isCheck;
        Deadline = deadline;
        Trace = trace;
        Cancellation = cancellation;
    }

    /// <summary>Answers the caller, whose code may run within; this object may be in other hands on return. Never the writer's or the publisher's thread.</summary>
    public void Complete(in CommandAnswer answer) => _completion.SetResult(answer);

    /// <summary>As <see cref="Complete"/>, from the writer's thread: the caller goes on on another.</summary>
    public void CompleteLater(in CommandAnswer answer)
    {
        _completion.RunContinuationsAsynchronously = true;
        _completion.SetResult(answer);
    }

    /// <summary>Tells the caller, on another thread, that it has withdrawn the command in time.</summary>
    public void Cancel()
    {
        _completion.RunContinuationsAsynchronously = true;
        _completion.SetException(new OperationCanceledException(Cancellation));
    }

    /// <summary>Takes back one that was never queued.</summary>
    public void Abandon()
    {
        Clear();
        _pool.Return(this);
    }

    CommandAnswer IValueTaskSource<CommandAnswer>.GetResult(short token)
    {
        // A wrong token throws here, before anything is given back.
        _completion.GetStatus(token);
        try
        {
            return _completion.GetResult(token);
        }
        finally
        {
            Clear();
            _completion.Reset();
            _pool.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<CommandAnswer>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<CommandAnswer>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    private void Clear()
    {
        Command = null;
        Trace = null;
        Cancellation = default;
    }
}

/// <summary>Completions for reuse, a bounded number. Any thread.</summary>
internal sealed class PendingCommandPool
{
    private readonly ConcurrentQueue<PendingCommand> _spare = new();
    private int _count;

    public PendingCommand Rent()
    {
        if (!_spare.TryDequeue(out var pending)) return new PendingCommand(this);
        Interlocked.Decrement(ref _count);
        return pending;
    }

    public void Return(PendingCommand pending)
    {
        if (Interlocked.Increment(ref _count) <= EngineBounds.PooledCommands) _spare.Enqueue(pending);
        else Interlocked.Decrement(ref _count);
    }
}
