// Proves: readers on other threads see, at every published sequence, exactly the version that belongs there, whole, while
// the writer changes, seals, publishes and reclaims beside them.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class VersionedRowsStressTests
{
    private const int RowCount = 48;
    private const int Batches = 12_000;
    private const int SequencesPerBatch = 10;
    private const int ReclaimBudget = 64;

    private readonly RowHeap _heap = new();
    private readonly ReadEpochs _epochs = new();
    private readonly Reclaimer _reclaimer;
    private readonly VersionedRows _rows;
    private readonly Beside _beside = new();
    private long _published;
    private long _looks;

    public VersionedRowsStressTests()
    {
        _reclaimer = new Reclaimer(_heap, _epochs);
        _rows = new VersionedRows(_heap, _reclaimer, 1);
    }

    // What batch b does to row r follows from (seed, b, r) alone, so that a reader can tell what it ought to see.
    private static ulong Plan(ulong seed, long batch, long number) => StableHash.Mix(StableHash.Mix(seed, (ulong)batch), (ulong)number);

    private static bool Touches(ulong plan, long batch) => batch == 1 || plan % 4 == 0;

    private static int Words(ulong plan) => 1 + (int)((plan >> 8) % 30);

    private static long LastSequence(ulong plan, long batch) => batch * SequencesPerBatch - (long)((plan >> 16) % 5);

    private static bool IsRemoved(ulong plan, long batch) => batch > 1 && (plan >> 24) % 8 == 0;

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    public void Readers_see_exactly_the_published_versions(ulong seed)
    {
        _beside.Run(() => Write(seed), readerCount: 3, n => Read(seed, n));
        Assert.True(_looks > 1000, $"The readers hardly ran: {_looks} looks.");

        for (var i = 1; i < 6; i++)
        {
            _rows.Seal(Batches * SequencesPerBatch + i);
            _reclaimer.Reclaim(Batches * SequencesPerBatch + i, int.MaxValue);
        }
        Assert.Equal(0, _reclaimer.Pending);
        Assert.True(_heap.UsedBytes <= RowCount * 288, $"{_heap.UsedBytes} bytes in use for {RowCount} rows.");
    }

    private void Write(ulong seed)
    {
        for (var batch = 1L; batch <= Batches && !_beside.IsOver; batch++)
        {
            for (var number = 1L; number <= RowCount; number++)
            {
                var plan = Plan(seed, batch, number);
                if (Touches(plan, batch)) Change(number, plan, batch);
                // Publishing lags a batch behind and comes in the middle of the next one, as with a commit under way.
                if (number == RowCount / 2) Volatile.Write(ref _published, (batch - 1) * SequencesPerBatch);
            }
            _rows.Seal(batch * SequencesPerBatch);
            _reclaimer.Reclaim(_published, ReclaimBudget);
        }
    }

    private void Change(long number, ulong plan, long batch)
    {
        var last = LastSequence(plan, batch);
        var bytes = Words(plan) * sizeof(ulong);
        if (IsRemoved(plan, batch))
        {
            if (!_rows.Latest(number).IsEmpty) _rows.Remove(number, last);
            return;
        }
        // First another length and a first stamp, then the final ones: the batch's own version is changed and replaced.
        var first = last - 3;
        if (_rows.Latest(number).IsEmpty) _rows.Create(number, bytes + 40, first);
        else _rows.Update(number, first).Fill(0xEE);
        var payload = _rows.Resize(number, bytes, last);
        MemoryMarshal.Cast<byte, ulong>(payload).Fill(plan);
    }

    private void Read(ulong seed, int reader)
    {
        var random = new Random(reader);
        var looks = 0L;
        while (!_beside.IsOver)
        {
            using var guard = _epochs.Enter();
            var sequence = Volatile.Read(ref _published);
            for (var n = random.Next(1, 20); n > 0; n--, looks++) Check(seed, random.NextInt64(1, RowCount + 1), sequence);
            if (random.Next(20) != 0) continue;
            // Stay while the writer goes on for some batches, then look again at the old sequence.
            var spin = new SpinWait();
            while (Volatile.Read(ref _published) < sequence + 5 * SequencesPerBatch && !_beside.IsOver) spin.SpinOnce(-1);
            for (var number = 1; number <= RowCount; number++) Check(seed, number, sequence);
        }
        Interlocked.Add(ref _looks, looks);
    }

    private void Check(ulong seed, long number, long sequence)
    {
        var batch = sequence / SequencesPerBatch;
        while (batch > 0 && !Touches(Plan(seed, batch, number), batch)) batch--;
        var plan = Plan(seed, batch, number);
        var isThere = batch > 0 && !IsRemoved(plan, batch);
        var payload = _rows.At(number, sequence, out var rowSequence);
        var expectedLength = isThere ? Words(plan) * sizeof(ulong) : 0;
        var expectedSequence = isThere ? LastSequence(plan, batch) : 0;
        if (payload.Length != expectedLength || rowSequence != expectedSequence)
            _beside.Report($"row {number} at {sequence}: {payload.Length} bytes of {rowSequence}, not "
                + $"{expectedLength} of {expectedSequence}");
        else if (MemoryMarshal.Cast<byte, ulong>(payload).IndexOfAnyExcept(plan) >= 0)
            _beside.Report($"row {number} at {sequence}: foreign contents");
    }
}
