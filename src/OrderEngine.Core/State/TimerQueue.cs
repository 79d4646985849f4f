// What is due when: one queue for everything that has a time, ordered by (due, sequence, kind, subject). Set and taken away by applying events,
// so it is rebuilt by replaying; after a snapshot from the rows that the timers belong to. Writer thread only.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A timer.</summary>
internal readonly record struct TimerKey : IComparable<TimerKey>
{
    private const int KindShift = 56;
    // Kind and subject in one word, so that the key has no bytes that mean nothing (OrderedPool).
    private readonly long _what;

    /// <summary>A timer.</summary>
    /// <param name="due">Microseconds since 1970.</param>
    /// <param name="sequence">Of the event that set it, or made its object: ties fire in this order.</param>
    /// <param name="kind">What it waits for.</param>
    /// <param name="subject">Number of the reservation or order.</param>
    public TimerKey(long due, long sequence, DeadlineKind kind, long subject)
    {
        Due = due;
        Sequence = sequence;
        _what = (long)kind << KindShift | subject;
    }

    /// <summary>Microseconds since 1970.</summary>
    public long Due { get; }

    /// <summary>Of the event that set it, or made its object.</summary>
    public long Sequence { get; }

    /// <summary>What it waits for.</summary>
    public DeadlineKind Kind => (DeadlineKind)(_what >> KindShift);

    /// <summary>Number of the reservation or order.</summary>
    public long Subject => _what & ((1L << KindShift) - 1);

    /// <inheritdoc/>
    public int CompareTo(TimerKey other)
    {
        if (Due != other.Due) return Due < other.Due ? -1 : 1;
        if (Sequence != other.Sequence) return Sequence < other.Sequence ? -1 : 1;
        return _what.CompareTo(other._what);
    }
}

/// <summary>The pending timers.</summary>
internal sealed class TimerQueue
{
    private readonly OrderedPool<TimerKey> _pool = new();
    private int _root;

    /// <summary>When the next is due; <see cref="long.MaxValue"/> when none is pending.</summary>
    public long NextDue => _pool.TryMin(_root, out var key) ? key.Due : long.MaxValue;

    /// <summary>The next timer that is due at <paramref name="now"/>; it stays until the event it causes is applied.</summary>
    public bool TryDue(long now, out TimerKey key) => _pool.TryMin(_root, out key) && key.Due <= now;

    /// <summary>Timers pending.</summary>
    public long Count => _pool.Count(_root);

    /// <summary>Steps to the timer that lies deepest. For tests; costs a walk over all.</summary>
    internal int Depth => _pool.Depth(_root);

    /// <summary>True when this timer is pending.</summary>
    public bool Contains(in TimerKey key) => _pool.Contains(_root, in key);

    /// <summary>Sets a timer.</summary>
    public void Set(in TimerKey key) => _pool.Add(ref _root, in key, 0);

    /// <summary>Takes a timer away.</summary>
    public void Clear(in TimerKey key) => _pool.Remove(ref _root, in key);
}
