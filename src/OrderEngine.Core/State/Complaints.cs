// Complaints and feedback: one row a complaint, numbered densely from 1, linked newest to oldest per order; one row for each order that has any.
// Their texts are in the order's history, sealed. The writer changes; rows are read from any thread.
//
//   complaint row  | ComplaintHead (64) | assignee |
//   care row       | CareRow (32), by the order's number |

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The head of a complaint's row; the assignee's bytes follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ComplaintHead
{
    /// <summary>Number of the order.</summary>
    public long Order;
    /// <summary>The complaint of the same order opened before; 0: none.</summary>
    public long Previous;
    /// <summary>Microseconds since 1970.</summary>
    public long OpenedAt;
    /// <summary>Sequence of the event that opened it, which has its text.</summary>
    public long OpenedSequence;
    /// <summary>Microseconds since 1970; 0: it is open.</summary>
    public long ResolvedAt;
    /// <summary>Sequence of the last change; of a resolved one, of the event that has its resolution's text.</summary>
    public long Version;
    /// <summary>The return or repair that it goes with; 0: none.</summary>
    public long Return;
    /// <summary>What it is about.</summary>
    public ComplaintCategory Category;
    /// <summary>Where it stands.</summary>
    public ComplaintState State;
    /// <summary>Who has to look into it.</summary>
    public Role Owner;
    /// <summary>What came of it.</summary>
    public ComplaintResolution Resolution;
    /// <summary>Bytes that follow.</summary>
    public ushort AssigneeLength;
    /// <summary>Zero.</summary>
    public ushort Unused;
}

/// <summary>What an order has of complaints and feedback.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct CareRow
{
    /// <summary>Its newest complaint; 0: none.</summary>
    public long LastComplaint;
    /// <summary>Sequence of the event that has its feedback; 0: none.</summary>
    public long Feedback;
    /// <summary>Complaints, whatever became of them.</summary>
    public int Complaints;
    /// <summary>Of them not resolved.</summary>
    public int OpenComplaints;
    /// <summary>The feedback's rating, 1 to 5; 0: none.</summary>
    public int Rating;
    /// <summary>Number of the order's customer, once the order has been archived; 0 before, and for guests.</summary>
    public int Customer;
}

/// <summary>A complaint's row, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct ComplaintView
{
    private readonly ReadOnlySpan<byte> _row;

    internal ComplaintView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is no such complaint at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly ComplaintHead Head => ref MemoryMarshal.AsRef<ComplaintHead>(_row);

    /// <summary>Who of the owner's role has it, UTF-8; may be empty.</summary>
    public unsafe ReadOnlySpan<byte> Assignee => _row.Slice(sizeof(ComplaintHead), Head.AssigneeLength);
}

/// <summary>All complaints, and what orders have of them.</summary>
internal sealed class Complaints(RowHeap heap, Reclaimer reclaimer)
{
    private readonly Queue<(long Sequence, long Number)> _closed = new();

    /// <summary>By number.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 40);

    /// <summary><see cref="CareRow"/> by the order's number; only orders that have any.</summary>
    public VersionedRows Orders { get; } = new(heap, reclaimer, tableId: 41);

    /// <summary>Those that are not resolved, and a few that were not (<see cref="OrderIndex"/> says why). Any thread.</summary>
    public NumberSet Open { get; } = new();

    /// <summary>Complaints by customer; those of guests are in none. Any thread.</summary>
    public NumberChains Customers { get; } = new();

    /// <summary>A complaint's latest row. Writer only.</summary>
    public ComplaintView Of(long number) => new(Rows.Latest(number));

    /// <summary>What an order has; all zero when it has nothing. Writer only.</summary>
    public CareRow OfOrder(long order) => Orders.Latest(order).IsEmpty ? default : Orders.LatestAs<CareRow>(order);

    /// <summary>What an order has, to be changed. Writer only.</summary>
    public ref CareRow ChangeOrder(long order, long sequence)
    {
        if (Orders.Latest(order).IsEmpty) return ref Orders.CreateAs<CareRow>(order, sequence);
        return ref Orders.UpdateAs<CareRow>(order, sequence);
    }

    /// <summary>Takes up a new complaint.</summary>
    public unsafe void Add(long number, int customer, in ComplaintHead head, long sequence)
    {
        MemoryMarshal.Write(Rows.Create(number, sizeof(ComplaintHead), sequence), in head);
        Index(number, customer, in head);
    }

    /// <summary>Gives a complaint to somebody.</summary>
    public unsafe void Assign(long number, Role owner, ReadOnlySpan<byte> assignee, long sequence)
    {
        var row = Rows.Resize(number, sizeof(ComplaintHead) + assignee.Length, sequence);
        ref var head = ref MemoryMarshal.AsRef<ComplaintHead>(row);
        head.State = ComplaintState.Owned;
        head.Owner = owner;
        head.Version = sequence;
        head.AssigneeLength = checked((ushort)assignee.Length);
        assignee.CopyTo(row[sizeof(ComplaintHead)..]);
    }

    /// <summary>Ends a complaint.</summary>
    public void Resolve(long number, ComplaintResolution resolution, long withReturn, long time, long sequence)
    {
        ref var head = ref MemoryMarshal.AsRef<ComplaintHead>(Rows.Update(number, sequence));
        head.State = ComplaintState.Resolved;
        head.Resolution = resolution;
        head.ResolvedAt = time;
        head.Version = sequence;
        if (withReturn != 0) head.Return = withReturn;
        _closed.Enqueue((sequence, number));
    }

    /// <summary>Takes resolved complaints out of those that are open, a bounded number.</summary>
    /// <param name="cleared">Nobody reads below this sequence any more.</param>
    /// <param name="budget">The most to take out.</param>
    public void Settle(long cleared, int budget)
    {
        while (budget-- > 0 && _closed.TryPeek(out var closed) && closed.Sequence <= cleared) Open.Remove(_closed.Dequeue().Number);
    }

    /// <summary>Puts back a row of a snapshot.</summary>
    public void Restore(long number, ReadOnlySpan<byte> row, long version) => Rows.Restore(number, version, row);

    /// <summary>Indexes all that were put back, once orders and care rows are there.</summary>
    /// <param name="customerOf">Of an order.</param>
    public void IndexRestored(Func<long, int> customerOf)
    {
        for (long number = 1; number <= Rows.Count; number++)
        {
            var complaint = Of(number);
            if (complaint.Exists) Index(number, customerOf(complaint.Head.Order), in complaint.Head);
        }
    }

    private void Index(long number, int customer, in ComplaintHead head)
    {
        if (customer != 0) Customers.Append(customer, number);
        if (head.State != ComplaintState.Resolved) Open.Add(number);
    }
}
