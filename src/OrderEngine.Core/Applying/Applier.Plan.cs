// Applying what was asked of those who supply and what was promised to those who wait.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void Requested(in EventView e)
    {
        var (number, sku, location, kind, from, quantity, neededBy) = (0L, 0, 0, SupplyKind.None, 0, 0L, 0L);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: sku = reader.Int(); break;
                case 3: location = reader.Int(); break;
                case 4: kind = (SupplyKind)reader.Varint(); break;
                case 5: from = reader.Int(); break;
                case 6: quantity = reader.Long(); break;
                case 7: neededBy = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckKnown(sku, state.Catalog.SkuIds, "SKU");
        if (location != 0) CheckPlace(sku, location);
        if (from != 0) CheckPlace(sku, from);
        var isNew = number == state.SupplyRequests.Rows.Count + 1;
        if (!state.SupplyRequests.TryFind(number, out var row) && !isNew || !isNew && row.Sku != sku) throw new ApplyException($"Supply request {number} of event {e.Sequence} does not follow.");
        if (isNew) row = new SupplyRequestRow { Sku = sku, RaisedAt = e.Time };
        (row.Location, row.Kind, row.From, row.Quantity, row.NeededBy, row.Version) = (location, kind, from, quantity, neededBy, e.Sequence);
        state.SupplyRequests.Put(number, in row, e.Sequence);
        // The level says what is asked for: who watches stock hears of it.
        if (location != 0) state.Stock.Touch(sku, location, e.Sequence);
    }

    // Supply was announced in answer to a request.
    private void Answered(long number, int sku, long incoming, long units, long sequence)
    {
        if (!state.SupplyRequests.TryFind(number, out var row) || row.Sku != sku) throw new ApplyException($"There is no supply request {number} for SKU {sku}.");
        row.Announced += units;
        row.LastIncoming = incoming;
        row.Version = sequence;
        state.SupplyRequests.Put(number, in row, sequence);
    }

    private void Promised(in EventView e)
    {
        var (index, at) = (0, 0L);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) index = reader.Int();
            else if (field == 2) at = reader.Long();
            else reader.Skip(wireType);
        }
        var order = Change(in e);
        if (index < 1 || index > order.Head.LineCount || order.Line(index).Backordered == 0) throw new ApplyException($"Line {index} of order {e.Order} does not wait.");
        state.Promises.Set(e.Order, index, order.Line(index).Sku, at, e.Sequence);
        MoveDelivery(e.Order, in order.Head, e.Sequence);
    }

    // The date that the customer wants, or else as long after acceptance as the rules say. What is late to come is late to be delivered: as long after it.
    private void MoveDelivery(long number, in OrderHead head, long sequence)
    {
        var after = state.Catalog.DeadlineRules.Delivery;
        if (after == 0) return;
        foreach (ref readonly var deadline in state.Deadlines.Of(number))
        {
            if (deadline.Kind != DeadlineKind.Delivery) continue;
            var due = head.RequestedAt > head.AcceptedAt ? head.RequestedAt : head.AcceptedAt + after;
            foreach (ref readonly var promise in state.Promises.Of(number)) due = Math.Max(due, promise.PromisedAt + after);
            if (due != deadline.Due) state.Deadlines.Set(number, DeadlineKind.Delivery, due, sequence);
            return;
        }
    }
}
