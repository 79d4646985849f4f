// Stock levels and reservations, for clients. Methods that read rows run inside a read guard that the caller holds.

using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's stock levels and reservations.</summary>
internal static class InventoryReads
{
    /// <summary>One stock level.</summary>
    public static StockLevel Level(StateReader reader, in StockRow row, long version, long at)
    {
        var level = new StockLevel
        {
            SkuId = Texts.Sku(reader, row.Sku), LocationId = Texts.Location(reader, row.Location), OnHand = row.OnHand, Unavailable = row.Unavailable,
            Held = row.Held, Committed = row.Committed, Safety = row.Safety, Sellable = row.Sellable, Sequence = version,
            Incoming = row.Incoming, InTransit = row.InTransit, ReorderPoint = row.ReorderPoint, ReorderDue = row.ReorderDue != 0,
        };
        if (reader.OpenSupplyRequest(row.Sku, at, out var request) is > 0 and var number && request.Location == row.Location)
            (level.Requested, level.SupplyRequestId) = (request.Quantity, Texts.SupplyRequest(number));
        return level;
    }

    /// <summary>The stock of one SKU at all locations.</summary>
    public static Stock Stock(StateReader reader, int sku, long at)
    {
        var stock = new Stock { SkuId = Texts.Sku(reader, sku), Backordered = reader.Backordered(sku, at), Sequence = at };
        for (var slot = reader.FirstStockSlot(sku); slot != 0; slot = reader.NextStockSlot(slot))
        {
            if (!reader.Stock(slot, at, out var row, out var version)) continue;
            stock.Levels.Add(Level(reader, in row, version, at));
            stock.Sellable += row.Sellable;
        }
        return stock;
    }

    /// <summary>The level of one SKU at one location; null when it never had one.</summary>
    public static StockLevel? Level(StateReader reader, int sku, int location, long at)
    {
        for (var slot = reader.FirstStockSlot(sku); slot != 0; slot = reader.NextStockSlot(slot))
            if (reader.Stock(slot, at, out var row, out var version) && row.Location == location) return Level(reader, in row, version, at);
        return null;
    }

    /// <summary>The levels that a receipt, a correction or a policy touched, in the order of the request, as they are at a sequence.</summary>
    public static StockChangeResponse Changed(in CommandAnswer answer, StateReader reader, long at)
    {
        var e = new EventView(answer.Event.Span);
        var response = new StockChangeResponse { Sequence = e.Sequence, Replayed = answer.Replayed };
        if (e.Kind == EventKind.StockReceived)
        {
            var received = Journaled.StockReceived.Parser.ParseFrom(e.Body);
            foreach (var item in received.Items) Add((int)item.Sku, (int)received.Location);
        }
        else if (e.Kind == EventKind.StockPolicySet)
        {
            var policy = Journaled.StockPolicySet.Parser.ParseFrom(e.Body);
            Add((int)policy.Sku, (int)policy.Location);
        }
        else
        {
            var adjusted = Journaled.StockAdjusted.Parser.ParseFrom(e.Body);
            Add((int)adjusted.Sku, (int)adjusted.Location);
        }
        return response;

        void Add(int sku, int location)
        {
            if (Level(reader, sku, location, at) is { } level) response.Levels.Add(level);
        }
    }

    /// <summary>A reservation as it stands; null when there is none.</summary>
    public static Reservation? Reservation(StateReader reader, long number, long at)
    {
        var view = reader.Reservation(number, at);
        if (!view.Exists) return null;
        ref readonly var head = ref view.Head;
        var reservation = new Reservation
        {
            ReservationId = Texts.Reservation(number), ChannelId = Texts.Channel(reader, head.Channel),
            CustomerId = Texts.Customer(reader, head.Customer), State = (ReservationState)head.State,
            CreateTime = Texts.Time(head.CreatedAt), ExpireTime = Texts.Time(head.ExpiresAt),
            OrderId = head.Order == 0 ? "" : Texts.Order(head.Order), Sequence = head.Version, Etag = Texts.Etag(head.Version),
            Reminded = head.Reminded != 0,
        };
        foreach (ref readonly var item in view.Items)
        {
            reservation.Items.Add(new ReservedItem
            {
                SkuId = Texts.Sku(reader, item.Sku), LocationId = Texts.Location(reader, item.Location), Quantity = item.Quantity,
            });
        }
        return reservation;
    }

    /// <summary>
    /// The answer to a command on a reservation. What the answering event says wins over the row, which may have moved on when the answer is
    /// replayed; the row gives what never changes.
    /// </summary>
    public static Reservation Answered(in CommandAnswer answer, StateReader reader, long at)
    {
        var e = new EventView(answer.Event.Span);
        var (number, state, expires) = e.Kind switch
        {
            EventKind.ReservationCreated => Created(e.Body),
            EventKind.ReservationExtended => Extended(e.Body),
            _ => Released(e.Body),
        };
        var reservation = Reservation(reader, number, at) ?? throw new InvalidOperationException("An answered reservation that has no row.");
        reservation.State = state;
        if (expires != 0)
        {
            reservation.ExpireTime = Texts.Time(expires);
            reservation.Reminded = false;
        }
        reservation.OrderId = "";
        reservation.Sequence = e.Sequence;
        reservation.Etag = Texts.Etag(e.Sequence);
        reservation.Replayed = answer.Replayed;
        return reservation;
    }

    private static (long, ReservationState, long) Created(ReadOnlySpan<byte> body)
    {
        var created = Journaled.ReservationCreated.Parser.ParseFrom(body);
        return ((long)created.Reservation, ReservationState.Held, (long)created.ExpireTime);
    }

    private static (long, ReservationState, long) Extended(ReadOnlySpan<byte> body)
    {
        var extended = Journaled.ReservationExtended.Parser.ParseFrom(body);
        return ((long)extended.Reservation, ReservationState.Held, (long)extended.ExpireTime);
    }

    private static (long, ReservationState, long) Released(ReadOnlySpan<byte> body) =>
        ((long)Journaled.ReservationReleased.Parser.ParseFrom(body).Reservation, ReservationState.Released, 0);
}
