// The auditor's own books of stock: what the events say, added up the plain way. Nothing may ever be promised twice.

using OrderEngine.Contracts.Journal;

namespace OrderEngine.Simulation;

internal sealed class StockBook
{
    private readonly Dictionary<(uint Sku, uint Location), Level> _levels = [];
    private readonly Dictionary<ulong, List<HeldItem>> _held = [];

    public long OnHand => _levels.Values.Sum(level => level.OnHand);
    public long Committed => _levels.Values.Sum(level => level.Committed);
    public long Held => _levels.Values.Sum(level => level.Held);

    private readonly Dictionary<(ulong Order, uint Line), uint> _skus = [];

    private sealed class Level
    {
        public long OnHand, Unavailable, Held, Committed;
    }

    public void Add(Event e)
    {
        switch (e.BodyCase)
        {
            case Event.BodyOneofCase.StockReceived:
                foreach (var item in e.StockReceived.Items) At(item.Sku, e.StockReceived.Location).OnHand += item.Quantity;
                break;
            case Event.BodyOneofCase.StockAdjusted:
                At(e.StockAdjusted.Sku, e.StockAdjusted.Location).OnHand += e.StockAdjusted.OnHandDelta;
                At(e.StockAdjusted.Sku, e.StockAdjusted.Location).Unavailable += e.StockAdjusted.UnavailableDelta;
                break;
            case Event.BodyOneofCase.ReservationCreated:
                _held.Add(e.ReservationCreated.Reservation, [.. e.ReservationCreated.Items]);
                foreach (var item in e.ReservationCreated.Items) At(item.Sku, item.Location).Held += item.Quantity;
                break;
            case Event.BodyOneofCase.ReservationCommitted: Free(e.ReservationCommitted.Reservation); break;
            case Event.BodyOneofCase.ReservationReleased: Free(e.ReservationReleased.Reservation); break;
            case Event.BodyOneofCase.ReservationExpired: Free(e.ReservationExpired.Reservation); break;
            case Event.BodyOneofCase.OrderSubmitted: Submit(e); break;
            case Event.BodyOneofCase.BackorderFilled:
                foreach (var part in e.BackorderFilled.Reserved) Of(e, e.BackorderFilled.Line, part.Location).Committed += part.Quantity;
                break;
            case Event.BodyOneofCase.OrderCancelled:
                foreach (var line in e.OrderCancelled.Lines)
                    foreach (var part in line.Reserved) Of(e, line.Line, part.Location).Committed -= part.Quantity;
                break;
            case Event.BodyOneofCase.ShipmentConfirmed:
                foreach (var move in e.ShipmentConfirmed.Lines)
                {
                    Of(e, move.Line, move.Location).Committed -= move.Quantity;
                    Of(e, move.Line, move.Location).OnHand -= move.Quantity;
                }
                break;
        }
        foreach (var (place, level) in _levels)
        {
            if (level.OnHand < level.Unavailable + level.Held + level.Committed || level.Held < 0 || level.Committed < 0 || level.Unavailable < 0)
                throw new BrokenPromiseException("stock oversold", $"sequence {e.Sequence}, SKU {place.Sku} at {place.Location}: {level.OnHand} on hand, {level.Held} held, {level.Committed} committed");
        }
    }

    private void Submit(Event e)
    {
        var number = 0u;
        foreach (var line in e.OrderSubmitted.Lines)
        {
            _skus.Add((e.Order, ++number), line.Sku);
            if (line.Quantity != line.Backordered + line.Cancelled + line.Reserved.Sum(part => part.Quantity))
                throw new BrokenPromiseException("a line's units do not add up", $"sequence {e.Sequence}, line {number}");
            foreach (var part in line.Reserved) At(line.Sku, part.Location).Committed += part.Quantity;
        }
    }

    private void Free(ulong reservation)
    {
        if (!_held.Remove(reservation, out var items)) throw new BrokenPromiseException("a hold ended twice", $"reservation {reservation}");
        foreach (var item in items) At(item.Sku, item.Location).Held -= item.Quantity;
    }

    private Level Of(Event e, uint line, uint location) => At(_skus[(e.Order, line)], location);

    private Level At(uint sku, uint location)
    {
        if (!_levels.TryGetValue((sku, location), out var level)) _levels.Add((sku, location), level = new Level());
        return level;
    }
}
