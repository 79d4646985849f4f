// When each arrival of an open loop is due. Pure: a rate that goes evenly from one value to another.

using OrderEngine.Load.Measuring;

namespace OrderEngine.Load.Running;

/// <summary>The due times of a stretch, in ns from its start. Arrival n (from 0) is due when n arrivals are owed.</summary>
public sealed class ArrivalSchedule
{
    private readonly double _from;
    private readonly double _slope;
    private readonly double _seconds;

    /// <summary>From <paramref name="fromRate"/> to <paramref name="toRate"/> arrivals a second.</summary>
    public ArrivalSchedule(double fromRate, double toRate, TimeSpan during)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromRate);
        ArgumentOutOfRangeException.ThrowIfNegative(toRate);
        _seconds = during.TotalSeconds;
        _from = fromRate;
        _slope = _seconds <= 0 ? 0 : (toRate - fromRate) / _seconds;
        Total = (long)Math.Ceiling(Math.Round((fromRate + toRate) / 2 * _seconds, 6));
    }

    /// <summary>Arrivals of the whole stretch.</summary>
    public long Total { get; }

    /// <summary>How long the stretch is, in ns.</summary>
    public long LengthNanos => (long)(_seconds * MachineClock.Second);

    /// <summary>When arrival <paramref name="number"/> is due.</summary>
    public long DueNanos(long number)
    {
        // n = from * t + slope * t^2 / 2, solved for t in the form that does not cancel when the slope is small.
        var root = _from * _from + 2 * _slope * number;
        var denominator = _from + Math.Sqrt(Math.Max(0, root));
        var seconds = number == 0 ? 0 : denominator <= 0 ? _seconds : 2 * number / denominator;
        return (long)(Math.Min(seconds, _seconds) * MachineClock.Second);
    }
}
