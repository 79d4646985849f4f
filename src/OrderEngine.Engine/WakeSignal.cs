// What threads and tasks wait for. Setting a signal is cheap while it is set: a busy reader costs its callers one exchange. None of them spins: a writer
// with nothing to do leaves the processor to those who bring it work.

namespace OrderEngine.Engine;

/// <summary>Wakes one thread. Sets before a wait are remembered as one.</summary>
internal sealed class WakeSignal : IDisposable
{
    private readonly AutoResetEvent _gate = new(false);
    private int _set;

    /// <summary>Any thread. What was written before is seen by the thread that wakes.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _set, 1) == 0) _gate.Set();
    }

    /// <summary>The one waiting thread: returns once for any number of sets since the last return.</summary>
    public void Wait()
    {
        _gate.WaitOne();
        Interlocked.Exchange(ref _set, 0);
    }

    public void Dispose() => _gate.Dispose();
}

/// <summary>Places of which so many may be taken at once. One thread takes, any gives back.</summary>
internal sealed class CommitSlots(int count)
{
    // Waited on, which Lock does not offer.
    private readonly object _sync = new();
    private readonly int _count = count;
    private int _free = count;
    private bool _isOpen;
    private bool _waits;

    /// <summary>Whoever takes is blocked.</summary>
    public bool Blocks
    {
        get { lock (_sync) return _waits; }
    }

    /// <summary>Takes one, blocking until there is one.</summary>
    public void Take() => TakeOf(1);

    /// <summary>Takes one, blocking until none is taken.</summary>
    public void TakeFirst() => TakeOf(_count);

    /// <summary>Takes one if there is one.</summary>
    public bool TryTake()
    {
        lock (_sync) return _isOpen || _free > 0 && _free-- > 0;
    }

    /// <summary>Gives one back.</summary>
    public void Release()
    {
        lock (_sync)
        {
            _free++;
            Monitor.Pulse(_sync);
        }
    }

    /// <summary>Lets whoever waits pass, and everybody from then on.</summary>
    public void Open()
    {
        lock (_sync)
        {
            _isOpen = true;
            Monitor.PulseAll(_sync);
        }
    }

    private void TakeOf(int free)
    {
        lock (_sync)
        {
            while (_free < free && !_isOpen)
            {
                _waits = true;
                Monitor.Wait(_sync);
            }
            _waits = false;
            _free--;
        }
    }
}

/// <summary>Wakes one waiting task. Sets before a wait are remembered as one; what was set is looked at again after every wait.</summary>
internal sealed class AsyncSignal
{
    private readonly Lock _sync = new();
    private TaskCompletionSource? _waiter;
    private bool _set;

    /// <summary>Any thread; false: nobody waited.</summary>
    public bool Set()
    {
        TaskCompletionSource? waiter;
        lock (_sync)
        {
            // Remembered even with a waiter: it may have been cancelled, and its successor must not miss this.
            _set = true;
            waiter = _waiter;
            _waiter = null;
        }
        return waiter?.TrySetResult() == true;
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
