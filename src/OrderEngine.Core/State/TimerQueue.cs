// What is due when: ordered by (due, sequence). Set and taken away by applying events, so it is rebuilt by replaying. Writer thread only.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A deadline.</summary>
/// <param name="Due">Microseconds since 1970.</param>
/// <param name="Sequence">Of the event that made its object: ties fire in this order.</param>
/// <param name="Reservation">Number of the reservation that ends.</param>
internal readonly record struct TimerKey(long Due, long Sequence, long Reservation) : IComparable<TimerKey>
{
    /// <inheritdoc/>
    public int CompareTo(TimerKey other)
    {
        if (Due != other.Due) return Due < other.Due ? -1 : 1;
        return Sequence.CompareTo(other.Sequence);
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

    /// <summary>True when this timer is pending.</summary>
    public bool Contains(in TimerKey key) => _pool.Contains(_root, in key);

    /// <summary>Sets a timer.</summary>
    public void Set(in TimerKey key) => _pool.Add(ref _root, in key, 0);

    /// <summary>Takes a timer away.</summary>
    public void Clear(in TimerKey key) => _pool.Remove(ref _root, in key);
}
