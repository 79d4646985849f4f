// Exceptions: what somebody has to look into. One row each, numbered densely from 1, linked newest to oldest per order.
// The writer changes; rows are read from any thread.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The head of an exception's row; the bytes of its texts follow: detail, resolution, who resolved it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ExceptionHead
{
    /// <summary>Number of the order; 0: not of an order.</summary>
    public long Order;
    /// <summary>The exception of the same order raised before; 0: none.</summary>
    public long Previous;
    /// <summary>Microseconds since 1970.</summary>
    public long RaisedAt;
    /// <summary>Sequence of the event that raised it.</summary>
    public long RaisedSequence;
    /// <summary>Microseconds since 1970; 0: it is open.</summary>
    public long ResolvedAt;
    /// <summary>Sequence of the last change.</summary>
    public long Version;
    /// <summary>Units or minor units that are concerned; 0: not said.</summary>
    public long Quantity;
    /// <summary>1-based line of the order; 0: no one line.</summary>
    public int Line;
    /// <summary>Number of the SKU; 0: no one SKU.</summary>
    public int Sku;
    /// <summary>Number of the location; 0: no one location.</summary>
    public int Location;
    /// <summary>What happened.</summary>
    public ExceptionKind Kind;
    /// <summary>How grave.</summary>
    public Grade Grade;
    /// <summary>Who has to look into it.</summary>
    public Role Owner;
    /// <summary>In which role it was resolved; none while it is open.</summary>
    public Role ResolvedBy;
    /// <summary>Of a missed deadline: which.</summary>
    public DeadlineKind Deadline;
    /// <summary>Zero.</summary>
    public byte Unused;
    /// <summary>Bytes of the detail.</summary>
    public ushort DetailLength;
    /// <summary>Bytes of the resolution.</summary>
    public ushort ResolutionLength;
    /// <summary>Bytes of the id of who resolved it.</summary>
    public ushort ResolverLength;
}

/// <summary>An exception's row, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct ExceptionView
{
    private readonly ReadOnlySpan<byte> _row;

    internal ExceptionView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is no such exception at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly ExceptionHead Head => ref MemoryMarshal.AsRef<ExceptionHead>(_row);

    /// <summary>True until it is resolved.</summary>
    public bool IsOpen => Head.ResolvedAt == 0;

    /// <summary>What is known of it, UTF-8.</summary>
    public unsafe ReadOnlySpan<byte> Detail => _row.Slice(sizeof(ExceptionHead), Head.DetailLength);

    /// <summary>How it was resolved, UTF-8.</summary>
    public unsafe ReadOnlySpan<byte> Resolution => _row.Slice(sizeof(ExceptionHead) + Head.DetailLength, Head.ResolutionLength);

    /// <summary>Who resolved it, UTF-8.</summary>
    public unsafe ReadOnlySpan<byte> Resolver => _row.Slice(sizeof(ExceptionHead) + Head.DetailLength + Head.ResolutionLength, Head.ResolverLength);
}

/// <summary>All exceptions.</summary>
internal sealed class Exceptions(RowHeap heap, Reclaimer reclaimer)
{
    /// <summary>By number.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 31);

    private readonly NumberSet?[] _byKind = new NumberSet?[Sets];
    private readonly NumberSet?[] _byGrade = new NumberSet?[Sets];
    private readonly NumberSet?[] _byOwner = new NumberSet?[Sets];
    private readonly Queue<(long Sequence, long Number)> _closed = new();
    // By SKU: its last SHORTFALL.
    private readonly ChunkedArray<long> _shortfalls = new();
    private const int Sets = 64;

    /// <summary>Those that are open, and a few that were (<see cref="OrderIndex"/> says why). Any thread.</summary>
    public NumberSet Open { get; } = new();

    /// <summary>Those of a kind; null: none. Any thread.</summary>
    public NumberSet? OfKind(ExceptionKind kind) => Volatile.Read(ref _byKind[(int)kind]);

    /// <summary>Those of a grade; null: none. Any thread.</summary>
    public NumberSet? OfGrade(Grade grade) => Volatile.Read(ref _byGrade[(int)grade]);

    /// <summary>Those that a role owns; null: none. Any thread.</summary>
    public NumberSet? OfOwner(Role owner) => Volatile.Read(ref _byOwner[(int)owner]);

    /// <summary>An exception's latest row. Writer only.</summary>
    public ExceptionView Of(long number) => new(Rows.Latest(number));

    /// <summary>The open SHORTFALL of a SKU: as it has one open supply request at most, one at most; 0: none. Writer only.</summary>
    public long OpenShortfall(int sku) => _shortfalls.TryRead(sku, out var number) && number != 0 && Of(number).IsOpen ? number : 0;

    /// <summary>Takes up a new exception.</summary>
    public unsafe void Raise(long number, in ExceptionHead head, ReadOnlySpan<byte> detail, long sequence)
    {
        var row = Rows.Create(number, sizeof(ExceptionHead) + detail.Length, sequence);
        MemoryMarshal.Write(row, in head);
        detail.CopyTo(row[sizeof(ExceptionHead)..]);
        Index(number, in head);
    }

    /// <summary>Closes an exception.</summary>
    public unsafe void Resolve(long number, long time, Role by, ReadOnlySpan<byte> resolution, ReadOnlySpan<byte> resolver, long sequence)
    {
        var length = Rows.Latest(number).Length;
        var row = Rows.Resize(number, length + resolution.Length + resolver.Length, sequence);
        ref var head = ref MemoryMarshal.AsRef<ExceptionHead>(row);
        head.ResolvedAt = time;
        head.ResolvedBy = by;
        head.Version = sequence;
        head.ResolutionLength = checked((ushort)resolution.Length);
        head.ResolverLength = checked((ushort)resolver.Length);
        resolution.CopyTo(row[length..]);
        resolver.CopyTo(row[(length + resolution.Length)..]);
        _closed.Enqueue((sequence, number));
    }

    /// <summary>Takes resolved exceptions out of those that are open, a bounded number.</summary>
    /// <param name="cleared">Nobody reads below this sequence any more.</param>
    /// <param name="budget">The most to take out.</param>
    public void Settle(long cleared, int budget)
    {
        while (budget-- > 0 && _closed.TryPeek(out var closed) && closed.Sequence <= cleared) Open.Remove(_closed.Dequeue().Number);
    }

    /// <summary>Puts back a row of a snapshot.</summary>
    public void Restore(long number, ReadOnlySpan<byte> row, long version)
    {
        Rows.Restore(number, version, row);
        Index(number, in Of(number).Head);
    }

    private void Index(long number, in ExceptionHead head)
    {
        NumberSet.In(_byKind, (int)head.Kind).Add(number);
        NumberSet.In(_byGrade, (int)head.Grade).Add(number);
        NumberSet.In(_byOwner, (int)head.Owner).Add(number);
        if (head.ResolvedAt == 0) Open.Add(number);
        if (head.Kind != ExceptionKind.Shortfall) return;
        _shortfalls.Ensure(head.Sku);
        _shortfalls[head.Sku] = number;
    }
}
