// Two signals: one for a thread, one for a task. Setting is cheap while already set: a busy reader costs its callers one exchange.

namespace OrderEngine.Engine;

/// <summary>Wakes one thread. Sets before a wait are remembered as one.</summary>
internal sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _gate = new(0, 1);
    private int _set;

    /// <summary>Any thread. What was written before is seen by the thread that wakes.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _set, 1) == 0) _gate.Release();
    }

    /// <summary>The one waiting thread: returns once for any number of sets since the last return.</summary>
    public void Wait()
    {
        _gate.Wait();
        Interlocked.Exchange(ref _set, 0);
    }

    public void Dispose() => _gate.Dispose();
}

/// <summary>Wakes one waiting task. Sets before a wait are remembered as one; what was set is looked at again after every wait.</summary>
internal sealed class AsyncSignal
{
    private readonly Lock _sync = new();
    private TaskCompletionSource? _waiter;
    private bool _set;

    /// <summary>Any thread.</summary>
    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_sync)
        {
            // Remembered even with a waiter: it may have been cancelled, and its successor must not miss this.
            _set = true;
            waiter = _waiter;
            _waiter = null;
        }
        waiter?.TrySetResult();
    }

    /// <summary>One waiter at a time; completes once for any number of sets since the last completion.</summary>
    public async Task WaitAsync(CancellationToken cancellation = default)
    {
        Task? wait = null;
        lock (_sync)
        {
            if (!_set) wait = (_waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        if (wait is not null) await wait.WaitAsync(cancellation);
        lock (_sync) _set = false;
    }
}
