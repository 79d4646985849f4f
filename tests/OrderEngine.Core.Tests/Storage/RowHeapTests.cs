// Proves: blocks never overlap, keep what is written, are reused, and are accounted for to the byte.

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class RowHeapTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_blocks_keep_their_contents_and_the_accounts_return_to_zero(int seed)
    {
        var random = new Random(seed);
        var heap = new RowHeap();
        var live = new List<(long Address, int Length, byte Fill)>();
        for (var step = 0; step < 20_000; step++)
        {
            if (live.Count < 300 && random.Next(5) < 3)
            {
                var length = random.Next(20) == 0 ? random.Next(1, RowHeap.MaxBlock / 8) : random.Next(1, 3000);
                var address = heap.Allocate(length);
                Assert.NotEqual(0, address);
                Assert.Equal(0, address % RowHeap.Alignment);
                var fill = (byte)random.Next(256);
                heap.At(address, length).Fill(fill);
                live.Add((address, length, fill));
            }
            else if (live.Count > 0)
            {
                var at = random.Next(live.Count);
                var (address, length, fill) = live[at];
                Assert.Equal(-1, heap.At(address, length).IndexOfAnyExcept(fill));
                heap.Free(address, length);
                live[at] = live[^1];
                live.RemoveAt(live.Count - 1);
            }
            Assert.Equal(live.Sum(b => (long)RowHeap.BlockBytes(b.Length)), heap.UsedBytes);
        }
        foreach (var (address, length, fill) in live)
        {
            Assert.Equal(-1, heap.At(address, length).IndexOfAnyExcept(fill));
            heap.Free(address, length);
        }
        Assert.Equal(0, heap.UsedBytes);
        // At most 300 blocks were alive at once, some 10 MB: the rest was reused.
        Assert.InRange(heap.ResidentBytes, RowHeap.ChunkBytes, 16 * RowHeap.ChunkBytes);
    }

    [Fact]
    public void Size_classes_are_tight_and_cover_every_length()
    {
        var last = 0;
        for (var length = 1; length <= RowHeap.MaxBlock; length++)
        {
            var size = RowHeap.BlockBytes(length);
            Assert.True(size >= length && size % RowHeap.Alignment == 0, $"{length} -> {size}");
            Assert.True(length > 1024 ? size - length < length / 4.0 : size - length < 16, $"{length} -> {size}");
            Assert.True(size >= last && (size == last || length == last + 1), $"{length} -> {size} after {last}");
            last = size;
        }
        Assert.Equal(RowHeap.MaxBlock, last);
    }

    [Fact]
    public void A_freed_block_of_the_class_is_handed_out_again()
    {
        var heap = new RowHeap();
        var first = heap.Allocate(100);
        var second = heap.Allocate(100);
        heap.Free(first, 100);
        heap.Free(second, 100);
        Assert.Equal(second, heap.Allocate(97));
        Assert.Equal(first, heap.Allocate(112));
    }

    [Fact]
    public void The_rest_of_a_chunk_is_used_when_a_block_does_not_fit()
    {
        var heap = new RowHeap();
        for (var i = 0; i < 4; i++) heap.Allocate(RowHeap.MaxBlock);
        Assert.Equal(2 * RowHeap.ChunkBytes, heap.ResidentBytes);
        // The first chunk lost 16 bytes to "none", so 1 MiB - 16 of it is left: it holds all of these.
        for (var i = 0; i < 3; i++) heap.Allocate(RowHeap.MaxBlock);
        heap.Allocate(RowHeap.MaxBlock / 8 * 7);
        Assert.Equal(2 * RowHeap.ChunkBytes, heap.ResidentBytes);
    }

    [Fact]
    public void Growing_moves_nothing()
    {
        var heap = new RowHeap();
        var address = heap.Allocate(8);
        ref var before = ref heap.At(address, 8)[0];
        while (heap.ResidentBytes < 4 * RowHeap.ChunkBytes) heap.Allocate(RowHeap.MaxBlock);
        GC.Collect();
        Assert.True(Unsafe.AreSame(ref before, ref heap.At(address, 8)[0]));
    }

    [Fact]
    public void A_chunk_is_ordered_once_until_it_is_taken_and_who_cannot_wait_makes_his_own()
    {
        var heap = new RowHeap();
        Assert.True(heap.TryOrderChunk());
        Assert.False(heap.TryOrderChunk());
        // Not there yet, twice.
        Fill(heap, chunks: 2);
        Assert.False(heap.TryOrderChunk());
        heap.MakeChunk();
        Assert.Equal(2 * RowHeap.ChunkBytes, heap.ResidentBytes);
        Assert.False(heap.TryOrderChunk());
        Fill(heap, chunks: 1);
        Assert.Equal(3 * RowHeap.ChunkBytes, heap.ResidentBytes);
        Assert.True(heap.TryOrderChunk());
    }

    [Fact]
    public void Chunks_made_ahead_on_another_thread_are_handed_out_once()
    {
        const int chunks = 64, length = 256 * 1024;
        var heap = new RowHeap();
        using var orders = new BlockingCollection<RowHeap>();
        var maker = new Thread(() =>
        {
            foreach (var one in orders.GetConsumingEnumerable()) one.MakeChunk();
        });
        maker.Start();
        var blocks = new List<long>();
        while (heap.ResidentBytes < (long)chunks * RowHeap.ChunkBytes)
        {
            if (heap.TryOrderChunk()) orders.Add(heap);
            var address = heap.Allocate(length);
            heap.At(address, length).Fill((byte)blocks.Count);
            blocks.Add(address);
        }
        orders.CompleteAdding();
        maker.Join();
        for (var i = 0; i < blocks.Count; i++) Assert.Equal(-1, heap.At(blocks[i], length).IndexOfAnyExcept((byte)i));
    }

    private static void Fill(RowHeap heap, int chunks)
    {
        for (var until = heap.ResidentBytes + (long)chunks * RowHeap.ChunkBytes; heap.ResidentBytes < until;) heap.Allocate(RowHeap.MaxBlock);
        // To its end, but for what no block fits into.
        for (var i = 1; i < RowHeap.ChunkBytes / RowHeap.MaxBlock; i++) heap.Allocate(RowHeap.MaxBlock);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(RowHeap.MaxBlock + 1)]
    public void Lengths_out_of_bounds_are_refused(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RowHeap().Allocate(length));
}
