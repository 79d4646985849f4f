// Orders as they stood at one sequence, read at whatever pace somebody takes them. What was in memory then lies in a spool, what was in the archive is read
// there, as it was archived by then: an order that comes back, changes, or leaves meanwhile is read as it stood, once.
//
//   capture  (one guard, at the disk's pace)       spool:  | order i64 | length i32 | hash u64 | captured |  ...   length 0: in memory, not wanted
//   reading  (no guard held between two orders)            numbers between those of the spool were in the archive
//
// Captured on a thread of its own; read by one thread at a time.

using System.Text;
using OrderEngine.Core;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>An archived order cannot be read.</summary>
public sealed class ArchivedOrderException(long order, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Its number.</summary>
    public long Order { get; } = order;
}

/// <summary>One export. Dispose it to let go of its spool.</summary>
public sealed class OrderExport : IDisposable
{
    private const int LooksPerCheck = 1_024;

    private readonly StateReader _reader;
    private readonly OrderQuery _query;
    private readonly Stream _spool;
    private readonly BinaryReader _spooled;
    private readonly CapturedOrders _captured;
    private byte[] _entry = new byte[4_096];
    private int _entryLength;
    // Of the entry that was read last; long.MaxValue: there are no more.
    private long _entryOrder;
    private long _after;

    private OrderExport(StateReader reader, OrderQuery query, Stream spool, CapturedOrders captured)
    {
        (_reader, _query, _spool, _captured) = (reader, query, spool, captured);
        _spooled = new BinaryReader(spool, Encoding.UTF8, leaveOpen: true);
        GoOnBehind(0);
    }

    /// <summary>At which all orders stand.</summary>
    public long Sequence => _captured.Summary.Sequence;

    internal static OrderExport Capture(ReadView view, OrderQuery query, Stream spool, CancellationToken ct)
    {
        using var writer = new BinaryWriter(spool, Encoding.UTF8, leaveOpen: true);
        var captured = OrderCapture.Write(view.Reader, () => view.Summary, query, (order, bytes) =>
        {
            ct.ThrowIfCancellationRequested();
            writer.Write(order);
            writer.Write(bytes.Length);
            writer.Write(StableHash.Of(bytes, (ulong)order));
            writer.Write(bytes);
        });
        writer.Flush();
        return new OrderExport(view.Reader, query, spool, captured with { First = FirstSince(view, query.Since, captured) });
    }

    /// <summary>The order that comes next is the first one wanted behind this number.</summary>
    public void GoOnBehind(long order)
    {
        _after = Math.Max(order, _captured.First - 1);
        _spool.Position = 0;
        _entryOrder = 0;
    }

    /// <summary>The next order that is asked for, by ascending number; null: there are no more. Call outside of a guard: it reads from the disk.</summary>
    /// <exception cref="ArchivedOrderException">It cannot be read. The call after this one goes on behind it.</exception>
    /// <exception cref="InvalidDataException">The spool reads back differently from what was written.</exception>
    public PinnedOrder? Next(CancellationToken ct)
    {
        for (var looks = 1; _after < _captured.Last; looks++)
        {
            if (looks % LooksPerCheck == 0) ct.ThrowIfCancellationRequested();
            var number = ++_after;
            while (_entryOrder < number) ReadEntry();
            var entry = _entryOrder == number ? _entry.AsSpan(0, _entryLength) : default;
            if (_entryOrder == number && entry.IsEmpty) continue;
            var order = Read(number, entry);
            if (!order.IsArchived || OrderCapture.Matches(_query, in order.Head)) return order;
            if (OrderCapture.IsBehind(_query, in order.Head)) _after = _captured.Last;
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _spooled.Dispose();
        _spool.Dispose();
    }

    // A start leaves no marks of time for what is in the archive, but records are numbered in the order of their times: a look at some twenty of them passes
    // over all that were accepted too early. Behind one that cannot be read nothing is passed over: whether it is wanted is found out when it comes to it.
    private static long FirstSince(ReadView view, long since, in CapturedOrders captured)
    {
        var (low, high) = (captured.First, since == 0 ? captured.First : captured.Last + 1);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (AcceptedAt(view, middle) is not { } accepted) break;
            if (accepted < since) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static long? AcceptedAt(ReadView view, long number)
    {
        using var guard = view.Reader.Enter();
        try
        {
            var order = view.Reader.Order(number, view.DurableSequence);
            return order.Exists ? order.Head.AcceptedAt : null;
        }
        catch (Exception error) when (error is JournalException or SnapshotContentException)
        {
            return null;
        }
    }

    private PinnedOrder Read(long number, ReadOnlySpan<byte> entry)
    {
        try
        {
            return PinnedOrder.Read(_reader, number, Sequence, _captured.Summary.ArchivePosition, entry)
                ?? throw new ArchivedOrderException(number, "It left memory for the archive, and is not in it. Restore journal and archive from the same backup.");
        }
        catch (Exception error) when (error is JournalException or SnapshotContentException)
        {
            throw new ArchivedOrderException(number, error.Message, error);
        }
    }

    private void ReadEntry()
    {
        if (_spool.Position == _spool.Length)
        {
            _entryOrder = long.MaxValue;
            return;
        }
        _entryOrder = _spooled.ReadInt64();
        _entryLength = _spooled.ReadInt32();
        var hash = _spooled.ReadUInt64();
        if (_entryOrder < 1 || _entryLength < 0 || _entryLength > _spool.Length - _spool.Position) throw Unlike();
        if (_entry.Length < _entryLength) _entry = new byte[_entryLength];
        _spooled.BaseStream.ReadExactly(_entry, 0, _entryLength);
        if (StableHash.Of(_entry.AsSpan(0, _entryLength), (ulong)_entryOrder) != hash) throw Unlike();
    }

    private static InvalidDataException Unlike() => new("The spool of an export reads back differently from what was written: the disk is not to be trusted.");
}
