// Proves: the array behaves as one endless array of defaults, never moves, and tells readers where it ends.

using System.Runtime.CompilerServices;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class ChunkedArrayTests
{
    private readonly record struct Wide(long A, long B, int C);

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Random_reads_and_writes_match_a_dictionary(int seed)
    {
        var random = new Random(seed);
        var array = new ChunkedArray<Wide>();
        var model = new Dictionary<long, Wide>();
        for (var step = 0; step < 50_000; step++)
        {
            var index = random.NextInt64(1L << random.Next(1, 20));
            if (random.Next(2) == 0) model[index] = array[index] = new Wide(step, index, seed);
            var isThere = array.TryRead(index, out var value);
            Assert.Equal(index < array.Capacity, isThere);
            Assert.Equal(model.GetValueOrDefault(index), value);
        }
        foreach (var (index, value) in model) Assert.Equal(value, array[index]);
    }

    [Fact]
    public void Growing_moves_nothing_across_many_chunks()
    {
        var array = new ChunkedArray<long>();
        array[5] = 55;
        ref var before = ref array[5];
        array.Ensure(5_000_000);
        Assert.InRange(array.Capacity, 5_000_001, 5_100_000);
        before = 56;
        Assert.Equal(56, array[5]);
        Assert.True(Unsafe.AreSame(ref before, ref array[5]));
        Assert.Equal(0, array[4_999_999]);
    }

    [Fact]
    public void A_read_beyond_the_end_or_before_the_start_finds_nothing()
    {
        var array = new ChunkedArray<int>();
        Assert.Equal(0, array.Capacity);
        Assert.False(array.TryRead(0, out _));
        array.Ensure(0);
        Assert.True(array.TryRead(array.Capacity - 1, out _));
        Assert.False(array.TryRead(array.Capacity, out _));
        Assert.False(array.TryRead(-1, out _));
        Assert.False(array.TryRead(long.MaxValue, out _));
    }

    [Fact]
    public void The_writer_is_refused_indexes_out_of_bounds()
    {
        var array = new ChunkedArray<long>();
        Assert.Throws<ArgumentOutOfRangeException>(() => array[-1] = 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => array.Ensure(long.MaxValue));
        Assert.Equal(0, array.Capacity);
    }

    [Fact]
    public void Readers_see_every_element_that_was_published_while_the_array_grows()
    {
        const long Elements = 2_000_000;
        var array = new ChunkedArray<long>();
        var published = 0L;
        var beside = new Beside();
        beside.Run(Write, readerCount: 1, _ => Read());

        void Write()
        {
            for (var i = 0L; i < Elements; i++)
            {
                array[i] = i + 1;
                Volatile.Write(ref published, i + 1);
            }
        }

        void Read()
        {
            while (!beside.IsOver)
            {
                var end = Volatile.Read(ref published);
                if (end == 0) continue;
                if (!array.TryRead(end - 1, out var last) || last != end) beside.Report($"{last} at the end {end}");
                if (!array.TryRead(end / 2, out var middle) || middle != end / 2 + 1) beside.Report($"{middle} in the middle of {end}");
            }
        }
    }
}
