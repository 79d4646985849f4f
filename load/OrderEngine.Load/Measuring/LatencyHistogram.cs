// A high-dynamic-range histogram: counts of durations in buckets whose width grows with the value, so that every percentile is known
// to the same relative error from a microsecond to an hour. Recorded by any thread without locks; read when recording has stopped,
// or for a rough figure at any time.

using System.Numerics;

namespace OrderEngine.Load.Measuring;

/// <summary>
/// Durations in nanoseconds. Values below 2^<c>precisionBits</c> ns are exact; above, a bucket is 2^-precisionBits of its lower edge wide
/// and answers with its middle, so a percentile is off by at most 2^-(precisionBits+1) of the true one (10 bits: 0.049 %).
/// Minimum, maximum, count and mean are exact.
/// </summary>
public sealed class LatencyHistogram
{
    /// <summary>The precision of final figures: relative error at most 0.049 %.</summary>
    public const int FinePrecision = 10;

    /// <summary>The precision of a second's figure in a chart: relative error at most 1.6 %.</summary>
    public const int CoarsePrecision = 5;

    /// <summary>The longest duration told apart, 2^42 ns (73 minutes); a longer one is counted as this long.</summary>
    public const long HighestNanos = 1L << HighestBits;

    private const int HighestBits = 42;

    private readonly int _precisionBits;
    private readonly long[] _counts;
    private long _count;
    private long _sum;
    private long _min = long.MaxValue;
    private long _max;

    public LatencyHistogram(int precisionBits = FinePrecision)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(precisionBits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(precisionBits, 16);
        _precisionBits = precisionBits;
        _counts = new long[BucketOf(HighestNanos) + 1];
    }

    /// <summary>How many durations were recorded.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>The shortest, in ns; 0 when empty.</summary>
    public long MinNanos => Count == 0 ? 0 : Interlocked.Read(ref _min);

    /// <summary>The longest, in ns; 0 when empty.</summary>
    public long MaxNanos => Interlocked.Read(ref _max);

    /// <summary>The mean in ns; 0 when empty.</summary>
    public double MeanNanos => Count == 0 ? 0 : (double)Interlocked.Read(ref _sum) / Count;

    /// <summary>The largest relative error of a percentile.</summary>
    public double RelativeError => 1.0 / (1 << (_precisionBits + 1));

    /// <summary>Counts one duration. A negative one (a clock that went back) counts as 0.</summary>
    public void Record(long nanos)
    {
        nanos = Math.Clamp(nanos, 0, HighestNanos);
        Interlocked.Increment(ref _counts[BucketOf(nanos)]);
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _sum, nanos);
        Lower(ref _min, nanos);
        Raise(ref _max, nanos);
    }

    /// <summary>The duration that <paramref name="percent"/> of all are not above (nearest rank), in ns; 0 when empty.</summary>
    public long PercentileNanos(double percent)
    {
        var total = Count;
        if (total == 0) return 0;
        var rank = Math.Clamp((long)Math.Ceiling(percent / 100 * total), 1, total);
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += Interlocked.Read(ref _counts[bucket]);
            if (seen >= rank) return Math.Clamp(MiddleOf(bucket), MinNanos, MaxNanos);
        }
        return MaxNanos;
    }

    /// <summary>The same in milliseconds.</summary>
    public double PercentileMs(double percent) => PercentileNanos(percent) / 1e6;

    /// <summary>Adds what the other one counted; both must be of one precision.</summary>
    public void Add(LatencyHistogram other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._precisionBits != _precisionBits) throw new ArgumentException("histograms of different precision", nameof(other));
        if (other.Count == 0) return;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
            Interlocked.Add(ref _counts[bucket], Interlocked.Read(ref other._counts[bucket]));
        Interlocked.Add(ref _count, other.Count);
        Interlocked.Add(ref _sum, Interlocked.Read(ref other._sum));
        Lower(ref _min, other.MinNanos);
        Raise(ref _max, other.MaxNanos);
    }

    // Below 2^p: the value itself. Above: 2^p buckets for each power of two, chosen by the p bits that follow the leading one.
    private int BucketOf(long nanos)
    {
        var shift = 63 - BitOperations.LeadingZeroCount((ulong)nanos | 1) - _precisionBits;
        return shift <= 0 ? (int)nanos : (shift << _precisionBits) + (int)(nanos >> shift);
    }

    private long MiddleOf(int bucket)
    {
        var shift = (bucket >> _precisionBits) - 1;
        if (shift <= 0) return bucket;
        var lower = (long)(bucket - (shift << _precisionBits)) << shift;
        return lower + (1L << shift) / 2;
    }

    private static void Lower(ref long place, long value)
    {
        var seen = Interlocked.Read(ref place);
        while (value < seen)
        {
            var before = Interlocked.CompareExchange(ref place, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    private static void Raise(ref long place, long value)
    {
        var seen = Interlocked.Read(ref place);
        while (value > seen)
        {
            var before = Interlocked.CompareExchange(ref place, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
