// Applying what happened to returns: the return's row, the order's lines, what the order has after the sale, and stock move together.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private ReturnLineRow[] _returnLines = new ReturnLineRow[16];
    private ReplacementRow[] _replacements = new ReplacementRow[16];

    private unsafe void ReturnRequested(in EventView e)
    {
        long number = 0;
        ReadOnlySpan<byte> externalId = default;
        var head = new ReturnHead
        {
            Order = e.Order, State = ReturnState.Requested, RequestedAt = e.Time, RequestedSequence = e.Sequence, ChangedAt = e.Time, Version = e.Sequence,
        };
        var order = Change(in e, 0);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: externalId = reader.Bytes(); break;
                case 3:
                    if (head.LineCount == _returnLines.Length) Array.Resize(ref _returnLines, head.LineCount * 2);
                    ReadPair(reader.Bytes(), out var index, out var quantity);
                    order.Line(index).ReturnOpen += quantity;
                    _returnLines[head.LineCount++] = new ReturnLineRow { Line = index, Requested = quantity };
                    break;
                case 4:
                    if (head.ReplacementCount == _replacements.Length) Array.Resize(ref _replacements, head.ReplacementCount * 2);
                    _replacements[head.ReplacementCount++] = ReadReplacement(reader.Bytes());
                    break;
                default: reader.Skip(wireType); break;
            }
        }
        if (number != state.Returns.Count + 1) throw new ApplyException($"Return {number} does not follow {state.Returns.Count}.");
        head.ExternalIdLength = externalId.Length;
        ref var afterSale = ref state.ChangeAfterSale(e.Order, e.Sequence);
        head.Previous = afterSale.LastReturn;
        afterSale.LastReturn = number;
        afterSale.Returns++;
        afterSale.OpenReturns++;
        var row = state.Returns.Create(number, ReturnView.RowBytes(in head), e.Sequence);
        MemoryMarshal.Write(row, in head);
        MemoryMarshal.AsBytes(_returnLines.AsSpan(0, head.LineCount)).CopyTo(row[sizeof(ReturnHead)..]);
        MemoryMarshal.AsBytes(_replacements.AsSpan(0, head.ReplacementCount)).CopyTo(row[(sizeof(ReturnHead) + head.LineCount * sizeof(ReturnLineRow))..]);
        externalId.CopyTo(row[^externalId.Length..]);
    }

    private ReplacementRow ReadReplacement(ReadOnlySpan<byte> nested)
    {
        var row = new ReplacementRow();
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: row.Sku = reader.Int(); break;
                case 2: row.Quantity = reader.Int(); break;
                case 3: row.UnitPrice = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckKnown(row.Sku, state.Catalog.SkuIds, "SKU");
        return row;
    }

    private void ReturnMoved(in EventView e, ReturnState to)
    {
        Change(in e, 0);
        ChangeReturn(NumberOf(e.Body), in e).State = to;
        WatchReturns(in e);
    }

    private void ReturnApproved(in EventView e)
    {
        Change(in e, 0);
        ReadNumbers(e.Body, out var number, out var replacement);
        ref var head = ref ChangeReturn(number, in e);
        head.State = ReturnState.Approved;
        head.Replacement = replacement;
        WatchReturns(in e);
    }

    // What did not come back is no longer on its way: it can be asked back again.
    private void ReturnEnded(in EventView e, ReturnState to)
    {
        var order = Change(in e, 0);
        var number = NumberOf(e.Body);
        ChangeReturn(number, in e).State = to;
        foreach (ref readonly var line in state.Return(number).Lines) order.Line(line.Line).ReturnOpen -= line.Requested - line.Returned;
        state.ChangeAfterSale(e.Order, e.Sequence).OpenReturns--;
        WatchReturns(in e);
    }

    // Goods that are to come, and returns that are to be closed: watched from the first of an order until there is none any more.
    private void WatchReturns(in EventView e)
    {
        var rules = state.Catalog.DeadlineRules;
        if (rules.ReturnArrival + rules.ReturnClose == 0 && state.Deadlines.Of(e.Order).IsEmpty) return;
        var (coming, here) = (false, false);
        for (var number = state.AfterSale(e.Order).LastReturn; number != 0; number = state.Return(number).Head.Previous)
        {
            var at = state.Return(number).Head.State;
            coming |= at is ReturnState.Approved or ReturnState.InTransit;
            here |= at is ReturnState.Received or ReturnState.Repaired or ReturnState.ShippedBack;
        }
        WatchReturns(in e, DeadlineKind.ReturnArrival, coming, e.Kind == EventKind.ReturnApproved ? rules.ReturnArrival : 0);
        WatchReturns(in e, DeadlineKind.ReturnClose, here, e.Kind == EventKind.ReturnReceived ? rules.ReturnClose : 0);
    }

    private void WatchReturns(in EventView e, DeadlineKind kind, bool any, long after)
    {
        if (!any) state.Deadlines.Clear(e.Order, kind, e.Sequence);
        else if (after > 0 && !state.Deadlines.Has(e.Order, kind)) state.Deadlines.Set(e.Order, kind, e.Time + after, e.Sequence);
    }

    // The order is completed with the last return that is open.
    private void WindowOver(in EventView e)
    {
        Change(in e, 0).Head.Details |= OrderDetails.ReturnWindowOver;
        if (!state.Deadlines.Clear(e.Order, DeadlineKind.ReturnWindow, e.Sequence)) throw new ApplyException($"Order {e.Order} has no return window.");
    }

    private void ReturnReceived(in EventView e)
    {
        var order = Change(in e, 0);
        long number = 0, refund = 0;
        var location = 0;
        var exchanged = OrderReturns.AreExchanged(e.Body);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2:
                    location = reader.Int();
                    CheckKnown(location, state.Catalog.LocationIds, "location");
                    break;
                case 3:
                    ProtoReader.ReadThree(reader.Bytes(), out var index, out var quantity, out var disposition);
                    if (exchanged && (Disposition)disposition != Disposition.Repair) order.Line(index).Exchanged += quantity;
                    ReceiveUnits(order, ref ReturnLine(number, index, in e), location, quantity, (Disposition)disposition, e.Sequence);
                    break;
                case 4: refund = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        ref var head = ref ChangeReturn(number, in e);
        head.State = ReturnState.Received;
        head.Location = location;
        head.Refund += refund;
        if (refund != 0) state.ChangeAfterSale(e.Order, e.Sequence).Refund += refund;
        WatchReturns(in e);
    }

    private void ExchangeCredited(in EventView e)
    {
        var order = Change(in e, 0);
        long number = 0, refund = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2:
                    ReadPair(reader.Bytes(), out var index, out var quantity);
                    order.Line(index).Exchanged -= quantity;
                    break;
                case 3: refund = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        ref var head = ref ChangeReturn(number, in e);
        head.Credited = 1;
        head.Refund += refund;
        if (refund != 0) state.ChangeAfterSale(e.Order, e.Sequence).Refund += refund;
    }

    private void ReceiveUnits(OrderChange order, ref ReturnLineRow line, int location, int quantity, Disposition disposition, long sequence)
    {
        if (line.Expected < quantity) throw new ApplyException($"Line {line.Line}: {quantity} units come back of {line.Expected} expected.");
        ref var orderLine = ref order.Line(line.Line);
        if (disposition == Disposition.Repair)
        {
            line.Repaired += quantity;
            return;
        }
        orderLine.ReturnOpen -= quantity;
        orderLine.Returned += quantity;
        switch (disposition)
        {
            case Disposition.Restock:
                line.Restocked += quantity;
                state.Stock.Change(orderLine.Sku, location, sequence, onHand: quantity);
                state.Queues.MarkPending(orderLine.Sku);
                break;
            case Disposition.Quarantine:
                line.Quarantined += quantity;
                state.Stock.Change(orderLine.Sku, location, sequence, onHand: quantity, unavailable: quantity);
                break;
            case Disposition.Scrap:
                line.Scrapped += quantity;
                break;
            default: throw new ApplyException($"Line {line.Line}: nobody knows disposition {(int)disposition}.");
        }
    }

    /// <summary>Field 1, the number of the event's object.</summary>
    private static long NumberOf(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) return reader.Long();
            reader.Skip(wireType);
        }
        return 0;
    }

    /// <summary>The head of the return's next version.</summary>
    private ref ReturnHead ChangeReturn(long number, in EventView e)
    {
        ref var head = ref MemoryMarshal.AsRef<ReturnHead>(state.Returns.Update(number, e.Sequence));
        if (head.Order != e.Order) throw new ApplyException($"Return {number} is of order {head.Order}, not of {e.Order}.");
        head.ChangedAt = e.Time;
        head.Version = e.Sequence;
        return ref head;
    }

    private unsafe ref ReturnLineRow ReturnLine(long number, int line, in EventView e)
    {
        var row = state.Returns.Update(number, e.Sequence);
        var lines = MemoryMarshal.Cast<byte, ReturnLineRow>(row.Slice(sizeof(ReturnHead), MemoryMarshal.AsRef<ReturnHead>(row).LineCount * sizeof(ReturnLineRow)));
        // Lines are in the order of the order's lines.
        int low = 0, high = lines.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (lines[middle].Line == line) return ref lines[middle];
            if (lines[middle].Line < line) low = middle + 1;
            else high = middle - 1;
        }
        throw new ApplyException($"Return {number} has no line {line}.");
    }
}
