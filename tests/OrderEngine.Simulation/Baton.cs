// One thread runs at a time. Threads that the engine cannot do without (the walk of a snapshot) stop before each
// access to the disk until the simulation lets them go on, and the simulation waits while they run.

namespace OrderEngine.Simulation;

internal sealed class Baton
{
    // Longer than a machine may be busy: a thread that stands still this long stands still for ever, and that breaks the history.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private readonly object _sync = new();
    private readonly List<Place> _parked = [];
    private bool _released;

    private sealed class Place(string name)
    {
        public string Name { get; } = name;
        public bool MayGo { get; set; }
    }

    /// <summary>Whether a thread of this name stands still.</summary>
    public bool IsParked(string name)
    {
        lock (_sync) return _parked.Exists(place => place.Name == name);
    }

    /// <summary>The thread's side: stands still until it is let go.</summary>
    public void Park(string name)
    {
        lock (_sync)
        {
            if (_released) return;
            var place = new Place(name);
            _parked.Add(place);
            Monitor.PulseAll(_sync);
            while (!place.MayGo && !_released) Monitor.Wait(_sync);
            _parked.Remove(place);
        }
    }

    /// <summary>Lets a parked thread go, and waits until it parks again or <paramref name="done"/> comes true.</summary>
    public void Go(string name, Func<bool> done)
    {
        lock (_sync)
        {
            var place = _parked.Find(place => place.Name == name) ?? throw new InvalidOperationException($"{name} is not parked.");
            place.MayGo = true;
            _parked.Remove(place);
            Monitor.PulseAll(_sync);
        }
        WaitFor(name, done);
    }

    /// <summary>Waits until a thread parks or <paramref name="done"/> comes true.</summary>
    public void WaitFor(string name, Func<bool> done)
    {
        var spin = new SpinWait();
        var started = Environment.TickCount64;
        while (!done() && !IsParked(name))
        {
            spin.SpinOnce(sleep1Threshold: 200);
            if (Environment.TickCount64 - started > s_patience.TotalMilliseconds) throw new TimeoutException($"'{name}' neither came to the disk nor ended.");
        }
    }

    /// <summary>Nobody is held any more: the process is dead.</summary>
    public void Release()
    {
        lock (_sync)
        {
            _released = true;
            Monitor.PulseAll(_sync);
        }
    }
}
