// Owns: one table of rows by dense number, each a chain of versions, and the incremental hash of the table.
// Runs on: the writer thread; At and TryAt on any thread inside a ReadGuard.
//
//   heads[number] --> version n --Previous--> version n-1 --Previous--> ... 0
//   version = { Sequence : 8 | Previous : 8 | Length : 4 | pad : 4 } payload (Length bytes; 0 = the row was removed)
//
// Sequences in a chain fall strictly. A batch changes a row in one version of its own, which is complete when the batch is
// sealed and never changes afterwards. A version is linked with its header complete (one volatile write of the head); its
// payload is filled later, which no reader notices, because readers only look into versions at or below the published
// sequence and only sealed sequences are published. The Previous of a version at or below every reader's sequence may
// name a block that was freed: nobody follows it (ReadEpochs has the proof).

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Versioned rows of bytes, numbered from 1. One writer changes them batch by batch; readers see them as of a sequence.
/// </summary>
/// <remarks>
/// All sequences given to changes lie above <see cref="SealedSequence"/> and do not fall for one row; breaking this, like
/// changing a row that does not exist, is an error of the program and throws <see cref="InvalidOperationException"/>.
/// Spans and references that a change returns are good until the row is resized or removed, or the batch is sealed.
/// </remarks>
public sealed class VersionedRows
{
    /// <summary>The longest payload of a row, in bytes.</summary>
    public const int MaxPayload = RowHeap.MaxBlock - HeaderBytes;

    /// <summary>Bytes of the header in front of each payload.</summary>
    public const int HeaderBytes = 24;

    private const int FirstTouchedLength = 256;
    // A seal lets go of at least this many removed rows, or as many as the batch touched.
    private const int MinDroppedPerSeal = 64;

    private readonly RowHeap _heap;
    private readonly Reclaimer _reclaimer;
    private readonly ulong _tableSeed;
    private readonly ChunkedArray<long> _heads = new();
    private readonly Queue<long> _removed = new();
    private long[] _touched = new long[FirstTouchedLength];
    private int _touchedCount;
    private long _count;
    private long _batchSequence;
    private ulong _runningHash;

    /// <summary>An empty table.</summary>
    /// <param name="heap">Where the versions lie.</param>
    /// <param name="reclaimer">Where superseded versions go.</param>
    /// <param name="tableId">Tells equal rows of different tables apart in their hashes.</param>
    public VersionedRows(RowHeap heap, Reclaimer reclaimer, uint tableId)
    {
        _heap = heap;
        _reclaimer = reclaimer;
        _tableSeed = StableHash.Mix(tableId, 0);
    }

    /// <summary>The highest number ever created. Exact on the writer thread; a reader sees at least those it may see.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>The sequence of the last <see cref="Seal"/>: everything at or below it is final.</summary>
    public long SealedSequence { get; private set; }

    /// <summary>
    /// The wrapping sum over the live rows of the hash of (table, number, payload), as of the last seal. Neither the order of
    /// the changes nor the place of the rows nor their sequences play a part.
    /// </summary>
    public ulong Hash { get; private set; }

    /// <summary>The numbers changed since the last seal, each once, in the order of their first change. Cleared by Seal.</summary>
    public ReadOnlySpan<long> Touched => _touched.AsSpan(0, _touchedCount);

    /// <summary>Creates a row, zeroed. A removed number may be created again.</summary>
    public Span<byte> Create(long number, int length, long sequence)
    {
        CheckChange(sequence);
        CheckLength(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number);
        ref var head = ref _heads[number];
        if (head != 0 && Header(head).Length != 0) throw new InvalidOperationException($"Row {number} exists.");
        var payload = Replace(number, ref head, length, sequence, keep: false);
        if (number > _count) Volatile.Write(ref _count, number);
        return payload;
    }

    /// <summary>The row's payload to be changed: a copy of the latest version, or this batch's own version in place.</summary>
    public Span<byte> Update(long number, long sequence)
    {
        CheckChange(sequence);
        ref var head = ref LiveHead(number);
        ref var header = ref Header(head);
        if (header.Sequence <= SealedSequence) return Replace(number, ref head, header.Length, sequence, keep: true);
        Restamp(ref header, sequence);
        return Payload(head, header.Length);
    }

    /// <summary>As <see cref="Update"/>, with another length: keeps the common prefix and zeroes what is new.</summary>
    public Span<byte> Resize(long number, int newLength, long sequence)
    {
        CheckChange(sequence);
        CheckLength(newLength);
        ref var head = ref LiveHead(number);
        ref var header = ref Header(head);
        var sameBlock = RowHeap.BlockBytes(HeaderBytes + newLength) == RowHeap.BlockBytes(HeaderBytes + header.Length);
        if (header.Sequence <= SealedSequence || !sameBlock) return Replace(number, ref head, newLength, sequence, keep: true);
        Restamp(ref header, sequence);
        var oldLength = header.Length;
        header.Length = newLength;
        var payload = Payload(head, newLength);
        if (newLength > oldLength) payload[oldLength..].Clear();
        return payload;
    }

    /// <summary>Removes a row: from <paramref name="sequence"/> on there is none. Its memory goes back bit by bit.</summary>
    public void Remove(long number, long sequence)
    {
        CheckChange(sequence);
        Replace(number, ref LiveHead(number), 0, sequence, keep: false);
        _removed.Enqueue(number);
    }

    /// <summary>
    /// Puts back a row of a snapshot as final, outside of any batch: it counts as sealed and is not touched. End the load with
    /// a <see cref="Seal"/> at the snapshot's sequence.
    /// </summary>
    public void Restore(long number, long sequence, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number);
        CheckLength(payload.Length);
        ref var head = ref _heads[number];
        if (_touchedCount != 0 || head != 0)
            throw new InvalidOperationException($"Row {number} cannot be restored: a batch is open or the row exists.");
        payload.CopyTo(Link(ref head, payload.Length, sequence, previous: 0));
        _runningHash += RowHash(number, payload);
        Hash = _runningHash;
        if (sequence > SealedSequence) SealedSequence = sequence;
        if (number > _count) Volatile.Write(ref _count, number);
    }

    /// <summary>True when nothing of a row is left, not even for readers of earlier sequences. Writer only.</summary>
    public bool IsGone(long number) => !_heads.TryRead(number, out var head) || head == 0;

    /// <summary>Lets go of the part of the table of numbers that holds one, once all rows in it are gone. Writer only.</summary>
    public void Release(long number) => _heads.Release(number);

    /// <summary>Takes back what <see cref="Release"/> did, before a row in it is created again. Writer only.</summary>
    public void Revive(long number) => _heads.Revive(number);

    /// <summary>Counts numbers of a snapshot up to here as created, though the last of them have no rows.</summary>
    public void RestoreCount(long count)
    {
        if (count > _count) Volatile.Write(ref _count, count);
    }

    /// <summary>The latest payload, sealed or not; empty when there is no such row. Writer only.</summary>
    public ReadOnlySpan<byte> Latest(long number)
    {
        ref var head = ref _heads.Peek(number);
        return Unsafe.IsNullRef(in head) || head == 0 ? default : Payload(head, Header(head).Length);
    }

    /// <summary>Fetches the latest version's header and the beginning of its payload into the cache. Writer only.</summary>
    internal void PrefetchLatest(long number)
    {
        ref var head = ref _heads.Peek(number);
        if (!Unsafe.IsNullRef(in head) && head != 0) Cache.Prefetch(ref Header(head));
    }

    /// <summary>The sequence of the latest version, sealed or not; 0 when there is no such row. Writer only.</summary>
    public long LatestSequence(long number)
    {
        ref var head = ref _heads.Peek(number);
        if (Unsafe.IsNullRef(in head) || head == 0) return 0;
        ref var header = ref Header(head);
        return header.Length == 0 ? 0 : header.Sequence;
    }

    /// <summary>
    /// The row as of a sequence: the newest version at or below it; empty when there was none. Any thread, inside a
    /// <see cref="ReadGuard"/>; the span is good until the guard is left.
    /// </summary>
    /// <param name="number">The row; any value, a number that was never created gives none.</param>
    /// <param name="sequence">The published durable sequence, read after entering. An older one meets freed memory.</param>
    /// <param name="rowSequence">The sequence that changed the row last, as of then; 0 when there was none.</param>
    public ReadOnlySpan<byte> At(long number, long sequence, out long rowSequence)
    {
        rowSequence = 0;
        ref var head = ref _heads.Peek(number);
        var address = Unsafe.IsNullRef(in head) ? 0 : Volatile.Read(ref head);
        var newer = long.MaxValue;
        while (address != 0)
        {
            ref var header = ref Header(address);
            var versionSequence = Volatile.Read(ref header.Sequence);
            if (versionSequence <= sequence)
            {
                if (header.Length == 0) return default;
                rowSequence = versionSequence;
                return Payload(address, header.Length);
            }
            if (versionSequence >= newer) throw new InvalidOperationException($"Row {number} is not kept back to {sequence}.");
            newer = versionSequence;
            address = header.Previous;
        }
        return default;
    }

    /// <summary>Copies a fixed-size row as of a sequence, as <see cref="At"/>; false when there was none.</summary>
    public bool TryAt<T>(long number, long sequence, out T row, out long rowSequence) where T : unmanaged
    {
        var payload = At(number, sequence, out rowSequence);
        row = payload.IsEmpty ? default : MemoryMarshal.Read<T>(payload);
        return !payload.IsEmpty;
    }

    /// <summary><see cref="Create"/> for a fixed-size row.</summary>
    public ref T CreateAs<T>(long number, long sequence) where T : unmanaged =>
        ref MemoryMarshal.AsRef<T>(Create(number, Unsafe.SizeOf<T>(), sequence));

    /// <summary><see cref="Update"/> for a fixed-size row.</summary>
    public ref T UpdateAs<T>(long number, long sequence) where T : unmanaged => ref MemoryMarshal.AsRef<T>(Update(number, sequence));

    /// <summary><see cref="Latest"/> for a fixed-size row that exists.</summary>
    public ref readonly T LatestAs<T>(long number) where T : unmanaged
    {
        ref var head = ref LiveHead(number);
        return ref MemoryMarshal.AsRef<T>(Payload(head, Header(head).Length));
    }

    /// <summary>
    /// Ends a batch: every version up to <paramref name="sequence"/> is final, those that it superseded are retired, and
    /// <see cref="Hash"/> holds the new contents. Publish <paramref name="sequence"/> only after this.
    /// </summary>
    public void Seal(long sequence)
    {
        if (sequence < SealedSequence || sequence < _batchSequence)
            throw new InvalidOperationException($"Seal at {sequence} lies before {Math.Max(SealedSequence, _batchSequence)}.");
        foreach (var number in Touched)
        {
            var head = _heads[number];
            ref var header = ref Header(head);
            if (header.Length != 0) _runningHash += RowHash(number, Payload(head, header.Length));
            if (header.Previous != 0) _reclaimer.Retire(header.Previous, HeaderBytes + Header(header.Previous).Length, sequence);
        }
        if (sequence > SealedSequence) DropRemoved(Math.Max(MinDroppedPerSeal, _touchedCount), sequence);
        Hash = _runningHash;
        SealedSequence = sequence;
        _touchedCount = 0;
    }

    // A removed row's last, empty version has done its work once every reader reads at or above it: from then on no
    // version at all says the same. It is retired like any other block: this seal's sequence is not published yet.
    private void DropRemoved(int budget, long sequence)
    {
        while (budget-- > 0 && _removed.TryPeek(out var number))
        {
            ref var head = ref _heads[number];
            var empty = head != 0 && Header(head).Length == 0;
            if (empty && Header(head).Sequence > _reclaimer.ClearedSequence) return;
            _removed.Dequeue();
            // Created again meanwhile, or removed twice and dropped already: nothing to let go of.
            if (!empty) continue;
            var address = head;
            Volatile.Write(ref head, 0);
            _reclaimer.Retire(address, HeaderBytes, sequence);
        }
    }

    private Span<byte> Replace(long number, ref long head, int length, long sequence, bool keep)
    {
        var old = head;
        var oldLength = 0;
        var previous = 0L;
        var isFirstTouch = true;
        if (old != 0)
        {
            ref var header = ref Header(old);
            oldLength = header.Length;
            isFirstTouch = header.Sequence <= SealedSequence;
            // This batch's own earlier version drops out of the chain; no reader could look into it.
            previous = isFirstTouch ? old : header.Previous;
            if (sequence < header.Sequence) throw OutOfOrder(sequence, header.Sequence);
        }
        if (isFirstTouch)
        {
            Touch(number);
            if (oldLength != 0) _runningHash -= RowHash(number, Payload(old, oldLength));
        }
        var payload = Link(ref head, length, sequence, previous);
        var kept = keep ? Math.Min(length, oldLength) : 0;
        if (kept != 0) Payload(old, kept).CopyTo(payload);
        payload[kept..].Clear();
        if (!isFirstTouch) _reclaimer.Retire(old, HeaderBytes + oldLength, sequence);
        return payload;
    }

    private Span<byte> Link(ref long head, int length, long sequence, long previous)
    {
        var address = _heap.Allocate(HeaderBytes + length);
        Header(address) = new RowHeader { Sequence = sequence, Previous = previous, Length = length };
        Volatile.Write(ref head, address);
        return Payload(address, length);
    }

    private void Touch(long number)
    {
        if (_touchedCount == _touched.Length) Array.Resize(ref _touched, _touched.Length * 2);
        _touched[_touchedCount++] = number;
    }

    private ref long LiveHead(long number)
    {
        ref var head = ref _heads.Peek(number);
        if (Unsafe.IsNullRef(in head) || head == 0 || Header(head).Length == 0)
            throw new InvalidOperationException($"There is no row {number}.");
        return ref head;
    }

    private static void Restamp(ref RowHeader header, long sequence)
    {
        if (sequence < header.Sequence) throw OutOfOrder(sequence, header.Sequence);
        Volatile.Write(ref header.Sequence, sequence);
    }

    private void CheckChange(long sequence)
    {
        if (sequence <= SealedSequence) throw OutOfOrder(sequence, SealedSequence);
        if (sequence > _batchSequence) _batchSequence = sequence;
    }

    private static void CheckLength(int length)
    {
        if (length is < 1 or > MaxPayload)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A row has 1 to {MaxPayload} bytes.");
    }

    private static InvalidOperationException OutOfOrder(long sequence, long last) => new($"A change at {sequence} comes after {last}.");

    /// <summary>What a live row adds to <see cref="Hash"/>. Any thread.</summary>
    internal ulong RowHash(long number, ReadOnlySpan<byte> payload) => StableHash.Of(payload, StableHash.Mix(_tableSeed, (ulong)number));

    private ref RowHeader Header(long address) => ref MemoryMarshal.AsRef<RowHeader>(_heap.At(address, HeaderBytes));

    private Span<byte> Payload(long address, int length) => _heap.At(address + HeaderBytes, length);

    [StructLayout(LayoutKind.Sequential, Size = HeaderBytes)]
    private struct RowHeader
    {
        public long Sequence;
        public long Previous;
        public int Length;
    }
}
