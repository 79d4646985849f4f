// Deciding what those who wait get: one line at a time, or all that an order waits for at once.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private int[] _waitingLines = [];
    private DraftLine[] _waiting = [];

    /// <summary>Writes the events that give free stock to a waiting line, if there is any for it.</summary>
    /// <param name="place">The line's place in the queue.</param>
    /// <param name="sku">The queue.</param>
    /// <param name="units">Units that wait there.</param>
    /// <param name="now">The time.</param>
    /// <param name="events">Where they are written.</param>
    /// <param name="looks">How many lines were looked at.</param>
    /// <returns>True when events were written.</returns>
    public bool Fill(in BackorderKey place, int sku, long units, long now, EventBuffer events, out int looks)
    {
        looks = 1;
        var order = state.Order(place.Order);
        ref readonly var head = ref order.Head;
        if (head.AllocationCount >= Limits.AllocationsPerOrder) return false;
        var sourcing = new Sourcing(state.Catalog.Rules(head.Channel), state.RegionOf(place.Order, in head));
        if (head.IsFilledWhole) return FillWhole(order, in place, in sourcing, now, events, ref looks);
        var given = _allocator.AllocateWaiting(sku, (int)units, in sourcing);
        if (given == 0 || head.AllocationCount + _allocator.Takes.Length > Limits.AllocationsPerOrder) return false;

        Start(null!, now, events);
        CopyLines(order);
        WriteFilled(place.Order, in head, place.Line, given, _allocator.Takes);
        return true;
    }

    // All that the order waits for, or nothing. Those ahead of it have been looked at, in all queues.
    private bool FillWhole(OrderView order, in BackorderKey place, in Sourcing sourcing, long now, EventBuffer events, ref int looks)
    {
        ref readonly var head = ref order.Head;
        var lines = order.Lines;
        if (_waiting.Length < lines.Length)
        {
            _waiting = new DraftLine[lines.Length];
            _waitingLines = new int[lines.Length];
        }
        var count = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Backordered == 0) continue;
            looks++;
            // Most often one of them has nothing at all.
            if (!state.Stock.AnySellable(lines[i].Sku)) return false;
            _waitingLines[count] = i + 1;
            _waiting[count++] = new DraftLine(lines[i].Sku, lines[i].Backordered, lines[i].UnitPrice);
        }
        if (!_allocator.Allocate(_waiting.AsSpan(0, count), AllocationPolicy.AllOrNothing, in sourcing, place with { Line = 0 }, default)) return false;
        if (head.AllocationCount + _allocator.Takes.Length > Limits.AllocationsPerOrder) return false;

        Start(null!, now, events);
        CopyLines(order);
        var takes = _allocator.Takes;
        for (var i = 0; i < count; i++)
        {
            var end = 0;
            while (end < takes.Length && takes[end].Line == i + 1) end++;
            WriteFilled(place.Order, in head, _waitingLines[i], _waiting[i].Quantity, takes[..end]);
            takes = takes[end..];
        }
        return true;
    }

    private void WriteFilled(long number, in OrderHead head, int index, int given, ReadOnlySpan<Take> takes)
    {
        ref var line = ref _lines[index - 1];
        line.Backordered -= given;
        line.Reserved += given;
        BeginOrderEvent(number, in head, Derived());
        _events.BeginBody(EventKind.BackorderFilled);
        _events.Number(1, index);
        foreach (ref readonly var take in takes) Quantity(2, take.Location, take.Quantity);
        EndEvent();
    }

    /// <summary>An order that is to be filled whole has waited its time: from now on it takes what comes, and keeps it.</summary>
    private void Earmark(in TimerKey timer)
    {
        ref readonly var head = ref state.Order(timer.Subject).Head;
        BeginOrderEvent(timer.Subject, in head, head.State);
        _events.BeginBody(EventKind.EarmarkingBegan);
        EndEvent();
    }
}
