using OrderEngine.Load.Measuring;

namespace OrderEngine.Load.Tests;

public class LatencyHistogramTests
{
    private static readonly double[] Percents = [1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];

    public static TheoryData<string, Func<Random, long>> Shapes => new()
    {
        { "uniform to 10 ms", random => random.NextInt64(10_000_000) },
        { "exponential around 2 ms", random => (long)(-Math.Log(1 - random.NextDouble()) * 2_000_000) },
        { "two peaks, 100 us and 900 ms", random => random.Next(100) < 97 ? 100_000 + random.NextInt64(20_000) : 900_000_000 + random.NextInt64(50_000_000) },
        { "few nanoseconds", random => random.NextInt64(3_000) },
        { "powers from 1 ns to 30 minutes", random => (long)Math.Pow(10, random.NextDouble() * 12.25) },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Percentiles_are_within_the_stated_error_of_the_exact_ones(string shape, Func<Random, long> draw)
    {
        foreach (var precision in (int[])[LatencyHistogram.FinePrecision, LatencyHistogram.CoarsePrecision])
        {
            var random = new Random(20_261);
            var histogram = new LatencyHistogram(precision);
            var exact = new long[100_000];
            for (var i = 0; i < exact.Length; i++) histogram.Record(exact[i] = draw(random));
            Array.Sort(exact);
            foreach (var percent in Percents)
            {
                var expected = exact[Math.Max(0, (int)Math.Ceiling(percent / 100 * exact.Length) - 1)];
                Assert.True(Math.Abs(histogram.PercentileNanos(percent) - expected) <= expected * histogram.RelativeError,
                    $"{shape}, {precision} bits, p{percent}: {histogram.PercentileNanos(percent)} against {expected}");
            }
            Assert.Equal(exact[0], histogram.MinNanos);
            Assert.Equal(exact[^1], histogram.MaxNanos);
            Assert.Equal(exact.Average(), histogram.MeanNanos, tolerance: 0.5);
        }
    }

    [Fact]
    public void The_stated_error_is_half_a_thousandth() => Assert.Equal(0.00048828125, new LatencyHistogram().RelativeError);

    [Fact]
    public void What_many_threads_record_is_all_counted()
    {
        var histogram = new LatencyHistogram();
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 20_000; i++) histogram.Record(thread * 20_000 + i);
        });
        Assert.Equal(160_000, histogram.Count);
        Assert.Equal(0, histogram.MinNanos);
        Assert.Equal(159_999, histogram.MaxNanos);
        Assert.Equal(79_999, histogram.PercentileNanos(50), tolerance: 40);
    }

    [Fact]
    public void Adding_is_recording_both()
    {
        var (one, other, both) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (long i = 1; i < 5_000; i++)
        {
            one.Record(i * 1_000);
            other.Record(i * i);
            both.Record(i * 1_000);
            both.Record(i * i);
        }
        one.Add(other);
        foreach (var percent in Percents) Assert.Equal(both.PercentileNanos(percent), one.PercentileNanos(percent));
        Assert.Equal(both.Count, one.Count);
        Assert.Equal(both.MinNanos, one.MinNanos);
        Assert.Equal(both.MaxNanos, one.MaxNanos);
        Assert.Equal(both.MeanNanos, one.MeanNanos);
    }

    [Fact]
    public void Out_of_range_is_counted_at_the_ends_and_empty_says_zero()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(0, histogram.PercentileNanos(99));
        Assert.Equal(0, histogram.MinNanos);
        histogram.Record(-5);
        histogram.Record(long.MaxValue);
        Assert.Equal(0, histogram.PercentileNanos(50));
        Assert.Equal(LatencyHistogram.HighestNanos, histogram.PercentileNanos(100));
    }
}
