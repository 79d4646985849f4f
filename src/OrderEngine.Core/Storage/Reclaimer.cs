// Owns: superseded row versions on their way back to the heap.
// Runs on: the writer thread.

namespace OrderEngine.Core.Storage;

/// <summary>
/// A queue of blocks that wait until the sequence that superseded them is published and no reader that entered before
/// that is still in (the proof: <see cref="ReadEpochs"/>).
/// </summary>
/// <remarks>
/// Grace periods go one at a time: what became durable while one is open waits for the next. Blocks are freed in the order
/// they were retired; sequences that are retired in order therefore never wait for one another.
/// </remarks>
public sealed class Reclaimer
{
    private const int SegmentLength = 2048;
    // Segments kept for reuse; a peak beyond this many (32,768 blocks) is given to the collector.
    private const int MaxSpareSegments = 16;

    private readonly RowHeap _heap;
    private readonly ReadEpochs _epochs;
    private Segment _first;
    private Segment _last;
    private Segment? _spare;
    private int _spareCount;
    private int _take;
    private int _put;
    private long _graceSequence;
    private long _graceEpoch;

    /// <summary>An empty queue.</summary>
    /// <param name="heap">Where the blocks go back to.</param>
    /// <param name="epochs">Who is reading.</param>
    public Reclaimer(RowHeap heap, ReadEpochs epochs)
    {
        _heap = heap;
        _epochs = epochs;
        _first = _last = new Segment();
    }

    /// <summary>How many blocks wait.</summary>
    public long Pending { get; private set; }

    /// <summary>Bytes asked for by the blocks that wait.</summary>
    public long PendingBytes { get; private set; }

    /// <summary>
    /// Every reader that is in, or will come, reads at this sequence or a later one. Only what an earlier one may see waits.
    /// </summary>
    public long ClearedSequence { get; private set; }

    /// <summary>Takes a block that is reachable for readers below <paramref name="supersededBySequence"/> only.</summary>
    /// <param name="address">The block.</param>
    /// <param name="length">The length it was allocated for, in bytes.</param>
    /// <param name="supersededBySequence">A sequence that will be published: the end of a batch, or one within a batch that is
    /// published as a whole.</param>
    public void Retire(long address, int length, long supersededBySequence)
    {
        if (_put == SegmentLength)
        {
            _last = _last.Next = TakeSpare();
            _put = 0;
        }
        _last.Items[_put++] = new Retired(address, supersededBySequence, length);
        Pending++;
        PendingBytes += length;
    }

    /// <summary>Frees at most <paramref name="budget"/> blocks that nobody can see any more.</summary>
    /// <param name="durableSequence">The durable sequence, which the caller HAS published to the readers already.</param>
    /// <param name="budget">The most blocks to free in this call.</param>
    /// <returns>How many were freed.</returns>
    public int Reclaim(long durableSequence, int budget)
    {
        AdvanceGrace(durableSequence);
        var freed = 0;
        while (freed < budget && Pending > 0)
        {
            ref readonly var retired = ref _first.Items[_take];
            if (retired.Sequence > ClearedSequence) break;
            _heap.Free(retired.Address, retired.Length);
            Pending--;
            PendingBytes -= retired.Length;
            freed++;
            if (++_take == SegmentLength) DropFirst();
        }
        return freed;
    }

    private void AdvanceGrace(long durableSequence)
    {
        if (ClearedSequence == _graceSequence)
        {
            if (durableSequence <= _graceSequence) return;
            _graceSequence = durableSequence;
            _graceEpoch = _epochs.Advance();
        }
        if (_epochs.OldestActive() >= _graceEpoch) ClearedSequence = _graceSequence;
    }

    private void DropFirst()
    {
        _take = 0;
        if (_first.Next is not { } next)
        {
            // The only segment, and it is empty: begin it again.
            _put = 0;
            return;
        }
        var empty = _first;
        _first = next;
        empty.Next = null;
        if (_spareCount == MaxSpareSegments) return;
        empty.Next = _spare;
        _spare = empty;
        _spareCount++;
    }

    private Segment TakeSpare()
    {
        if (_spare is not { } segment) return new Segment();
        _spare = segment.Next;
        segment.Next = null;
        _spareCount--;
        return segment;
    }

    private readonly record struct Retired(long Address, long Sequence, int Length);

    private sealed class Segment
    {
        public readonly Retired[] Items = new Retired[SegmentLength];
        public Segment? Next;
    }
}
