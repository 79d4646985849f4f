// Captures orders as they stand at one published sequence, as a snapshot does, but for an export: what is in memory is copied, what is in the archive is only
// noted, since records there stay. Runs on a thread of its own, inside one guard: rows superseded meanwhile stay until the walk ends.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

/// <summary>What was walked over.</summary>
/// <param name="Summary">The figures of the sequence at which all was captured.</param>
/// <param name="First">The first order that may be wanted.</param>
/// <param name="Last">The last one.</param>
public readonly record struct CapturedOrders(StateSummary Summary, long First, long Last);

/// <summary>Gets an order of a capture, by ascending number.</summary>
/// <param name="order">Its number.</param>
/// <param name="captured">What <see cref="PinnedOrder.Read"/> takes, valid during the call; empty: it is in memory and not wanted.</param>
public delegate void OrderCaptured(long order, ReadOnlySpan<byte> captured);

/// <summary>One capture. Orders of which nothing is said are in the archive.</summary>
public sealed class OrderCapture
{
    // Rows as they lie in memory: nothing of a capture outlives the process.
    internal const int Record = 1, AfterSale = 2, Care = 3, Deadlines = 4, Promises = 5, Exception = 6;

    private readonly StateReader _reader;
    private readonly OrderQuery _query;
    private readonly ArchiveEncoder _encoder;
    private readonly EventBuffer _buffer = new();
    private long _at;

    private OrderCapture(StateReader reader, OrderQuery query)
    {
        (_reader, _query, _encoder) = (reader, query, new ArchiveEncoder(reader));
    }

    /// <summary>Captures at the sequence published when the call begins. Any thread but the writer's.</summary>
    /// <param name="reader">The state.</param>
    /// <param name="published">Gives the figures published last. Called once, inside the guard.</param>
    /// <param name="query">Channel, states, times of acceptance.</param>
    /// <param name="sink">Gets what is in memory. May throw to give up.</param>
    public static CapturedOrders Write(StateReader reader, Func<StateSummary> published, OrderQuery query, OrderCaptured sink)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(published);
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(sink);
        return new OrderCapture(reader, query).Run(published, sink);
    }

    /// <summary>Whether an order is asked for, by what its head says.</summary>
    public static bool Matches(OrderQuery query, in OrderHead head)
    {
        ArgumentNullException.ThrowIfNull(query);
        return (query.Channel == 0 || head.Channel == query.Channel) && (query.States.Length == 0 || Array.IndexOf(query.States, head.State) >= 0)
            && head.AcceptedAt >= query.Since && !IsBehind(query, in head);
    }

    /// <summary>Whether an order, and so every one of a higher number, was accepted too late to be asked for.</summary>
    public static bool IsBehind(OrderQuery query, in OrderHead head) => query.Before != 0 && head.AcceptedAt >= query.Before;

    private CapturedOrders Run(Func<StateSummary> published, OrderCaptured sink)
    {
        using var guard = _reader.Enter();
        var summary = published();
        _at = summary.Sequence;
        // An archived order's time is known by its record only; marks of time are never below it, so the first number is right for it too.
        var (first, last) = (_reader.State.Index.Between(_query.Since, 0, summary.Orders).First, summary.Orders);
        for (var number = first; number <= last; number++)
        {
            var order = _reader.LiveOrder(number, _at);
            _buffer.Truncate(0);
            if (!order.Exists)
            {
                CaptureTables(number);
                if (_buffer.Length > 0) sink(number, _buffer.Written);
                continue;
            }
            if (IsBehind(_query, in order.Head)) return new CapturedOrders(summary, first, number - 1);
            if (Matches(_query, in order.Head)) Capture(number, in order.Head);
            sink(number, _buffer.Written);
        }
        return new CapturedOrders(summary, first, last);
    }

    private void Capture(long number, in OrderHead head)
    {
        _buffer.Bytes(Record, _encoder.Encode(number, _at));
        CaptureTables(number);
        Add(Deadlines, MemoryMarshal.AsBytes(_reader.Deadlines(number, _at)));
        Add(Promises, MemoryMarshal.AsBytes(_reader.Promises(number, _at)));
        var exceptions = _reader.State.Exceptions.Rows;
        var left = head.OpenExceptions;
        for (long one = head.LastException; one != 0 && left > 0;)
        {
            var row = exceptions.At(one, _at, out _);
            var view = new ExceptionView(row);
            // One that is resolved stays so: it can be looked at later.
            if (view.IsOpen)
            {
                left--;
                _buffer.Bytes(Exception, [.. BitConverter.GetBytes(one), .. row]);
            }
            one = view.Head.Previous;
        }
    }

    // What stays in tables of its own when the order is archived, and changes when it comes back.
    private void CaptureTables(long number)
    {
        if (_reader.State.AfterSales.TryAt<AfterSaleRow>(number, _at, out var afterSale, out _)) Add(AfterSale, MemoryMarshal.AsBytes(new ReadOnlySpan<AfterSaleRow>(in afterSale)));
        if (_reader.State.Complaints.Orders.TryAt<CareRow>(number, _at, out var care, out _)) Add(Care, MemoryMarshal.AsBytes(new ReadOnlySpan<CareRow>(in care)));
    }

    private void Add(int field, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty) _buffer.Bytes(field, bytes);
    }
}
