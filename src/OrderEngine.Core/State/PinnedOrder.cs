// An order as it stood at one sequence, apart from the state: its row, its history, and what other tables had of it. Read only; any thread.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;

namespace OrderEngine.Core.State;

/// <summary>An order that stays as it was; <see cref="Reader"/> shows it so, and of the rest only what never changes is to be asked.</summary>
public sealed class PinnedOrder
{
    private PinnedOrder(ArchivedOrder order, long at, bool isArchived)
    {
        (Order, At, IsArchived) = (order, at, isArchived);
    }

    /// <summary>Its number.</summary>
    public long Number => Order.Number;

    /// <summary>The sequence at which it stood so.</summary>
    public long At { get; }

    /// <summary>True: it was in the archive then.</summary>
    public bool IsArchived { get; }

    /// <summary>Its head.</summary>
    public ref readonly OrderHead Head => ref Order.Head;

    /// <summary>The state with this order as it stood then. Inside a guard, to be asked at the durable sequence.</summary>
    public StateReader Reader { get; private set; } = null!;

    /// <summary>How many events its history has.</summary>
    public int Events => Order.Events.Count;

    internal ArchivedOrder Order { get; }
    internal AfterSaleRow AfterSale { get; private set; }
    internal CareRow Care { get; private set; }
    internal byte[] Deadlines { get; private set; } = [];
    internal byte[] Promises { get; private set; } = [];
    internal Dictionary<long, byte[]> Exceptions { get; } = [];

    /// <summary>Puts together an order that was captured, or was in the archive. May read from the disk.</summary>
    /// <param name="reader">The state.</param>
    /// <param name="number">The order.</param>
    /// <param name="at">The sequence of the capture.</param>
    /// <param name="archiveEnd">How far the state relied on the archive at that sequence.</param>
    /// <param name="captured">What <see cref="OrderCapture"/> wrote of it; empty: nothing, it was in the archive.</param>
    /// <returns>The order; null: it was to be in the archive, and is not.</returns>
    /// <exception cref="SnapshotContentException">Its record makes no sense.</exception>
    public static PinnedOrder? Read(StateReader reader, long number, long at, long archiveEnd, ReadOnlySpan<byte> captured)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var record = RecordIn(captured);
        var isArchived = record.IsEmpty;
        if (isArchived) record = reader.Archive?.Read(number, archiveEnd);
        if (record.IsEmpty) return null;
        var order = ArchiveEncoder.Decode(reader.State, record);
        if (order.Number != number) throw new SnapshotContentException($"The record of order {number} holds order {order.Number}.");
        var pinned = new PinnedOrder(order, at, isArchived);
        pinned.ReadRows(captured);
        pinned.Reader = new StateReader(reader, pinned);
        return pinned;
    }

    /// <summary>An event of its history, from 0, the oldest first.</summary>
    public ReadOnlySpan<byte> Event(int index) => Order.Events[index].Bytes;

    private static ReadOnlySpan<byte> RecordIn(ReadOnlySpan<byte> captured)
    {
        var fields = new ProtoReader(captured);
        while (fields.Next(out var field, out var wireType))
        {
            if (field == OrderCapture.Record) return fields.Bytes();
            fields.Skip(wireType);
        }
        return default;
    }

    private void ReadRows(ReadOnlySpan<byte> captured)
    {
        var fields = new ProtoReader(captured);
        while (fields.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case OrderCapture.AfterSale: AfterSale = MemoryMarshal.Read<AfterSaleRow>(fields.Bytes()); break;
                case OrderCapture.Care: Care = MemoryMarshal.Read<CareRow>(fields.Bytes()); break;
                case OrderCapture.Deadlines: Deadlines = fields.Bytes().ToArray(); break;
                case OrderCapture.Promises: Promises = fields.Bytes().ToArray(); break;
                case OrderCapture.Exception:
                    var exception = fields.Bytes();
                    Exceptions[MemoryMarshal.Read<long>(exception)] = exception[sizeof(long)..].ToArray();
                    break;
                default: fields.Skip(wireType); break;
            }
        }
    }
}
