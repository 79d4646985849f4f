// Proves: readers see the rows exactly as of their sequence whatever the writer does meanwhile, the hash depends on the
// contents alone, and all memory comes back.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class VersionedRowsTests
{
    private const uint TableId = 7;

    /// <summary>A table beside a naive model of it: dictionaries copied at every seal.</summary>
    private sealed class Twin(int seed)
    {
        private const int Numbers = 60;
        private readonly RowHeap _heap = new();
        private readonly ReadEpochs _epochs = new();
        private readonly Random _random = new(seed);
        private readonly Queue<(long Sequence, Dictionary<long, Row> Rows)> _sealed = new();
        private Reclaimer? _reclaimer;
        private VersionedRows? _rows;
        private readonly Dictionary<long, Row> _current = [];
        private (long Sequence, Dictionary<long, Row> Rows) _published = (0, []);
        private long _sequence;

        private sealed record Row(byte[] Payload, long Sequence);

        private Reclaimer Reclaimer => _reclaimer ??= new Reclaimer(_heap, _epochs);

        private VersionedRows Rows => _rows ??= new VersionedRows(_heap, Reclaimer, TableId);

        public void RunBatches(int batches, int readersDeep)
        {
            using var guard = _epochs.Enter();
            var (sequence, rows) = _published;
            for (var i = 0; i < batches; i++)
            {
                RunBatch();
                if (readersDeep > 0 && _random.Next(10) == 0) RunBatches(_random.Next(1, 10), readersDeep - 1);
                CheckReader(sequence, rows);
            }
        }

        public void RunBatch()
        {
            var touched = new HashSet<long>();
            for (var n = _random.Next(0, 12); n > 0; n--)
            {
                var number = _random.NextInt64(1, Numbers + 1);
                if (_random.Next(3) > 0 || _sequence == Rows.SealedSequence) _sequence++;
                Change(number);
                touched.Add(number);
            }
            Assert.Equal(touched.Order(), Rows.Touched.ToArray().Order());
            _sequence = Math.Max(_sequence, Rows.SealedSequence);
            Rows.Seal(_sequence);
            Assert.True(Rows.Touched.IsEmpty);
            Assert.Equal(NaiveHash(), Rows.Hash);
            _sealed.Enqueue((_sequence, new(_current)));
            while (_sealed.Count > 0 && _random.Next(3) > 0) _published = _sealed.Dequeue();
            Reclaimer.Reclaim(_published.Sequence, _random.Next(20));
            using (_epochs.Enter()) CheckReader(_published.Sequence, _published.Rows);
        }

        private void Change(long number)
        {
            if (!_current.TryGetValue(number, out var row))
            {
                var created = Rows.Create(number, _random.Next(1, 200), _sequence);
                Assert.Equal(-1, created.IndexOfAnyExcept((byte)0));
                _random.NextBytes(created);
                _current[number] = new Row(created.ToArray(), _sequence);
            }
            else if (_random.Next(8) == 0)
            {
                Rows.Remove(number, _sequence);
                _current.Remove(number);
            }
            else
            {
                var expected = row.Payload;
                if (_random.Next(2) == 0) Array.Resize(ref expected, _random.Next(1, 200));
                var payload = expected == row.Payload ? Rows.Update(number, _sequence) : Rows.Resize(number, expected.Length, _sequence);
                Assert.Equal(expected, payload.ToArray());
                _random.NextBytes(payload[_random.Next(payload.Length)..]);
                _current[number] = new Row(payload.ToArray(), _sequence);
            }
            CheckLatest(number);
        }

        private void CheckLatest(long number)
        {
            var row = _current.GetValueOrDefault(number);
            Assert.Equal(row?.Payload ?? [], Rows.Latest(number).ToArray());
            Assert.Equal(row?.Sequence ?? 0, Rows.LatestSequence(number));
        }

        private void CheckReader(long sequence, Dictionary<long, Row> rows)
        {
            for (var number = 0; number <= Numbers + 1; number++)
            {
                var payload = Rows.At(number, sequence, out var rowSequence);
                var row = rows.GetValueOrDefault(number);
                Assert.Equal(row?.Payload ?? [], payload.ToArray());
                Assert.Equal(row?.Sequence ?? 0, rowSequence);
            }
        }

        private ulong NaiveHash()
        {
            var sum = 0UL;
            foreach (var (number, row) in _current)
                sum += StableHash.Of(row.Payload, StableHash.Mix(StableHash.Mix(TableId, 0), (ulong)number));
            return sum;
        }

        public void RemoveEverythingAndExpectAllMemoryBack()
        {
            _sequence++;
            foreach (var number in _current.Keys) Rows.Remove(number, _sequence);
            _current.Clear();
            for (var i = 0; i < 6; i++)
            {
                Rows.Seal(_sequence);
                Reclaimer.Reclaim(_sequence, int.MaxValue);
                _sequence++;
            }
            Assert.Equal((0, 0, 0UL), (Reclaimer.Pending, _heap.UsedBytes, Rows.Hash));
        }
    }

    [Theory]
    [InlineData(81)]
    [InlineData(82)]
    [InlineData(83)]
    [InlineData(84)]
    public void Random_batches_match_the_naive_twin_for_every_reader_however_long_it_stays(int seed)
    {
        var twin = new Twin(seed);
        for (var round = 0; round < 20; round++)
        {
            twin.RunBatches(10, readersDeep: 3);
            for (var i = 0; i < 10; i++) twin.RunBatch();
        }
        twin.RemoveEverythingAndExpectAllMemoryBack();
    }

    private static (VersionedRows Rows, RowHeap Heap, ReadEpochs Epochs, Reclaimer Reclaimer) NewTable(uint tableId = TableId)
    {
        var heap = new RowHeap();
        var epochs = new ReadEpochs();
        var reclaimer = new Reclaimer(heap, epochs);
        return (new VersionedRows(heap, reclaimer, tableId), heap, epochs, reclaimer);
    }

    [Theory]
    [InlineData(91)]
    [InlineData(92)]
    public void Equal_contents_hash_equal_whatever_the_history(int seed)
    {
        var random = new Random(seed);
        var final = Enumerable.Range(1, 300).ToDictionary(n => (long)n, n =>
        {
            var payload = new byte[random.Next(1, 100)];
            random.NextBytes(payload);
            return payload;
        });

        var (direct, _, _, _) = NewTable();
        foreach (var (number, payload) in final) payload.CopyTo(direct.Create(number, payload.Length, 1));
        direct.Seal(1);

        var (wandering, _, _, reclaimer) = NewTable();
        var sequence = 0L;
        foreach (var number in final.Keys.OrderBy(_ => random.Next())) wandering.Create(number, random.Next(1, 100), ++sequence);
        wandering.Create(1000, 10, ++sequence);
        for (var step = 0; step < 2000; step++)
        {
            var number = random.NextInt64(1, 301);
            random.NextBytes(wandering.Resize(number, random.Next(1, 100), ++sequence));
            if (random.Next(5) != 0) continue;
            wandering.Seal(sequence);
            reclaimer.Reclaim(sequence, 100);
        }
        foreach (var (number, payload) in final.Reverse()) payload.CopyTo(wandering.Resize(number, payload.Length, ++sequence));
        wandering.Remove(1000, ++sequence);
        wandering.Seal(sequence);

        var (restored, _, _, _) = NewTable();
        foreach (var (number, payload) in final.OrderBy(e => e.Value[0]).ToList())
            restored.Restore(number, wandering.LatestSequence(number), payload);
        restored.Seal(sequence);

        Assert.Equal(direct.Hash, wandering.Hash);
        Assert.Equal(direct.Hash, restored.Hash);

        var (otherTable, _, _, _) = NewTable(TableId + 1);
        foreach (var (number, payload) in final) payload.CopyTo(otherTable.Create(number, payload.Length, 1));
        otherTable.Seal(1);
        Assert.NotEqual(direct.Hash, otherTable.Hash);

        wandering.Update(17, sequence + 1)[0] ^= 1;
        Assert.Equal(direct.Hash, wandering.Hash);
        wandering.Seal(sequence + 1);
        Assert.NotEqual(direct.Hash, wandering.Hash);
    }

    [Fact]
    public void Contents_that_trade_places_hash_differently()
    {
        var (a, _, _, _) = NewTable();
        var (b, _, _, _) = NewTable();
        a.Create(1, 8, 1)[0] = 1;
        a.Create(2, 8, 1)[0] = 2;
        b.Create(1, 8, 1)[0] = 2;
        b.Create(2, 8, 1)[0] = 1;
        a.Seal(1);
        b.Seal(1);
        Assert.NotEqual(a.Hash, b.Hash);
    }

    [Fact]
    public void A_row_is_copied_once_a_batch()
    {
        var (rows, heap, _, reclaimer) = NewTable();
        rows.CreateAs<long>(1, 1) = 10;
        rows.Seal(1);
        var used = heap.UsedBytes;
        for (var sequence = 2; sequence < 100; sequence++) rows.UpdateAs<long>(1, sequence)++;
        Assert.Equal(2 * used, heap.UsedBytes);
        Assert.Equal([1L], rows.Touched.ToArray());
        rows.Seal(99);
        Assert.Equal(108, rows.LatestAs<long>(1));
        Assert.True(rows.TryAt<long>(1, 1, out var before, out var sequenceBefore));
        Assert.Equal((10, 1), (before, sequenceBefore));
        Assert.True(rows.TryAt<long>(1, 99, out var after, out var sequenceAfter));
        Assert.Equal((108, 99), (after, sequenceAfter));
        Assert.False(rows.TryAt<long>(1, 0, out _, out _));
        Assert.Equal(1, reclaimer.Reclaim(99, 10));
        Assert.Equal(used, heap.UsedBytes);
    }

    [Fact]
    public void A_batchs_own_version_that_is_replaced_waits_for_the_readers_too()
    {
        var (rows, heap, epochs, reclaimer) = NewTable();
        rows.Create(1, 8, 1);
        var used = heap.UsedBytes;
        using (epochs.Enter())
        {
            // A reader may stand on the header of the first version, about to follow its Previous.
            rows.Resize(1, 500, 2);
            Assert.Equal((used + RowHeap.BlockBytes(500 + VersionedRows.HeaderBytes), 1), (heap.UsedBytes, reclaimer.Pending));
            rows.Seal(2);
            Assert.Equal(0, reclaimer.Reclaim(2, 10));
        }
        Assert.Equal(1, reclaimer.Reclaim(2, 10));
    }

    [Fact]
    public void A_removed_row_goes_only_with_a_sequence_that_is_not_published_yet()
    {
        var (rows, heap, epochs, reclaimer) = NewTable();
        rows.Create(1, 8, 1);
        rows.Seal(1);
        rows.Remove(1, 2);
        rows.Seal(2);
        Assert.Equal(1, reclaimer.Reclaim(2, 10));
        using (epochs.Enter())
        {
            // This reader may stand on the empty version. Sealing 2 again, which readers see already, must not free it.
            rows.Seal(2);
            Assert.Equal(0, reclaimer.Reclaim(2, 10));
            rows.Seal(3);
            Assert.Equal(0, reclaimer.Reclaim(3, 10));
            Assert.True(rows.At(1, 3, out _).IsEmpty);
        }
        Assert.Equal(1, reclaimer.Reclaim(3, 10));
        Assert.Equal(0, heap.UsedBytes);
    }

    [Fact]
    public void A_resize_within_the_block_stays_in_place_and_zeroes_what_is_new()
    {
        var (rows, heap, _, reclaimer) = NewTable();
        rows.Create(1, 100, 1).Fill(0xFF);
        var used = heap.UsedBytes;
        rows.Resize(1, 90, 1);
        var payload = rows.Resize(1, 104, 1);
        Assert.Equal(-1, payload[..90].IndexOfAnyExcept((byte)0xFF));
        Assert.Equal(-1, payload[90..].IndexOfAnyExcept((byte)0));
        Assert.Equal((used, 0), (heap.UsedBytes, reclaimer.Pending));
    }

    [Fact]
    public void A_restored_row_is_sealed_at_its_own_sequence()
    {
        var (rows, _, _, _) = NewTable();
        rows.Restore(5, 40, [1, 2, 3]);
        rows.Restore(2, 90, [4]);
        Assert.Equal((5, 90, 0), (rows.Count, rows.SealedSequence, rows.Touched.Length));
        Assert.Equal([1, 2, 3], rows.At(5, 90, out var sequence).ToArray());
        Assert.Equal(40, sequence);
        Assert.Throws<InvalidOperationException>(() => rows.Restore(2, 90, [4]));
        rows.Seal(100);
        Assert.Equal(5, rows.Resize(5, 5, 101).Length);
        Assert.Throws<InvalidOperationException>(() => rows.Restore(9, 90, [4]));
    }

    [Fact]
    public void Misuse_is_an_error()
    {
        var (rows, _, _, _) = NewTable();
        Assert.Throws<InvalidOperationException>(() => { rows.Update(1, 1); });
        Assert.Throws<InvalidOperationException>(() => { rows.Remove(1, 1); });
        Assert.Throws<InvalidOperationException>(() => { rows.LatestAs<long>(1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { rows.Create(0, 8, 1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { rows.Create(1, 0, 1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { rows.Create(1, VersionedRows.MaxPayload + 1, 1); });
        rows.Create(1, VersionedRows.MaxPayload, 5);
        Assert.Throws<InvalidOperationException>(() => { rows.Create(1, 8, 6); });
        Assert.Throws<InvalidOperationException>(() => { rows.Update(1, 4); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { rows.Resize(1, 0, 6); });
        Assert.Throws<InvalidOperationException>(() => rows.Seal(4));
        rows.Seal(6);
        Assert.Throws<InvalidOperationException>(() => { rows.Update(1, 6); });
        Assert.Throws<InvalidOperationException>(() => rows.Seal(5));
        Assert.True(rows.Latest(0).IsEmpty && rows.Latest(-1).IsEmpty && rows.Latest(long.MaxValue).IsEmpty);
        Assert.True(rows.At(long.MaxValue, 6, out _).IsEmpty && rows.At(-1, 6, out _).IsEmpty);
    }

    [Fact]
    public void Changes_allocate_nothing_on_the_managed_heap()
    {
        var (rows, _, epochs, reclaimer) = NewTable();
        for (var number = 1; number <= 100; number++) rows.Create(number, 100, 1);
        rows.Seal(1);
        for (var sequence = 2L; sequence < 300; sequence++) Batch(sequence);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var sequence = 300L; sequence < 1000; sequence++) Batch(sequence);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Batch(long sequence)
        {
            for (var number = 1; number <= 100; number++) MemoryMarshal.Write(rows.Update(number, sequence), in sequence);
            rows.Seal(sequence);
            using (epochs.Enter()) rows.At(5, sequence, out _);
            reclaimer.Reclaim(sequence, 200);
        }
    }
}
