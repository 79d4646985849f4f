// Runs the engine's loops on the simulation's own thread, a step at a time. What they post is kept and run when it is drawn.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using OrderEngine.Engine;

namespace OrderEngine.Simulation;

internal sealed class SimThreads(Baton baton) : EngineThreads
{
    /// <summary>What the names of threads begin with that walk through memory to the disk: snapshots, and what leaves for the archive.</summary>
    public const string Walk = "walk ";
    private readonly StepContext _context = new();
    private readonly List<string> _walks = [];
    private int _walksBegun;
    private DueTimer? _timer;
    private bool _mayEnter;

    /// <summary>Continuations that wait for their turn.</summary>
    public int Posted => _context.Count;

    /// <summary>Set by the engine when it serves.</summary>
    public WriterThread? Writer { get; private set; }

    /// <summary>Walks that stand before the disk.</summary>
    public int Walks
    {
        get
        {
            lock (_walks) return _walks.Count;
        }
    }

    public void RunPosted(int index) => _context.Run(index);

    public T Within<T>(Func<T> call) => _context.Within(call);

    public override Task Run(Func<Task> loop)
    {
        var done = new TaskCompletionSource();
        _context.Post(_ => Complete(loop, done), null);
        return done.Task;
    }

    // A thread of its own, because of its read guard; it runs only when the simulation says so.
    public override Task<T> RunLong<T>(Func<Task<T>> work)
    {
        var done = new TaskCompletionSource<T>();
        var name = string.Create(CultureInfo.InvariantCulture, $"{Walk}{++_walksBegun}");
        lock (_walks) _walks.Add(name);
        var thread = new Thread(() =>
        {
            baton.Park(name);
            SynchronizationContext.SetSynchronizationContext(_context);
            var task = work();
            _context.Post(_ => Complete(task, done), null);
            lock (_walks) _walks.Remove(name);
        })
        { IsBackground = true, Name = name };
        thread.Start();
        baton.WaitFor(name, () => false);
        return done.Task;
    }

    // Whoever walks runs when it is drawn, and at no other time.
    public override void Rest(TimeSpan time) { }

    // What it completes is posted, and drawn like everything else.
    public override void Scatter(IThreadPoolWorkItem work, int times)
    {
        for (var i = 0; i < times; i++) work.Execute();
    }

    public override void RunWriter(WriterThread writer) => Writer = writer;

    /// <summary>One turn of the writer, if it has room. False: it has none, or is at its end.</summary>
    public bool StepWriter(TimeProvider time, Action ring)
    {
        if (Writer is null || !_mayEnter && !Writer.TryEnter()) return false;
        _mayEnter = true;
        _timer ??= new DueTimer(time, ring);
        switch (_context.Within(() => Writer.Step(_timer)))
        {
            case WriterStep.Committed: _mayEnter = false; break;
            case WriterStep.Ended: Writer = null; break;
        }
        return true;
    }

    public void StepWalk(int index)
    {
        string name;
        lock (_walks) name = _walks[index];
        baton.Go(name, () => !IsWalking(name));
    }

    private bool IsWalking(string name)
    {
        lock (_walks) return _walks.Contains(name);
    }

    private static async void Complete(Func<Task> loop, TaskCompletionSource done)
    {
        await loop();
        done.SetResult();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Handed on.")]
    private static async void Complete<T>(Task<T> task, TaskCompletionSource<T> done)
    {
        try
        {
            done.SetResult(await task);
        }
        catch (Exception exception)
        {
            done.SetException(exception);
        }
    }

    private sealed class StepContext : SynchronizationContext
    {
        private readonly List<(SendOrPostCallback Callback, object? State)> _posted = [];

        public int Count
        {
            get
            {
                lock (_posted) return _posted.Count;
            }
        }

        public override void Post(SendOrPostCallback d, object? state)
        {
            lock (_posted) _posted.Add((d, state));
        }

        public void Run(int index)
        {
            (SendOrPostCallback Callback, object? State) next;
            lock (_posted)
            {
                next = _posted[index];
                _posted.RemoveAt(index);
            }
            Within(() =>
            {
                next.Callback(next.State);
                return true;
            });
        }

        public T Within<T>(Func<T> call)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                return call();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
