// Returns as they stand, and answers to changes of them. Every method runs inside one read guard that the caller holds.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's returns from rows and history.</summary>
internal static class ReturnReads
{
    private const int IdsShown = 100;

    /// <summary>The return that an event changed, as it stands at a sequence, with state, sequence and etag of that change.</summary>
    public static Return Answer(in CommandAnswer answer, StateReader reader, long at)
    {
        var e = new EventView(answer.Event.Span);
        var made = Read(reader, NumberOf(e.Body), at) ?? throw new InvalidOperationException("An answered return is not there.");
        made.State = StateAfter(e.Kind);
        made.Sequence = e.Sequence;
        made.Etag = Texts.Etag(e.Sequence);
        made.Replayed = answer.Replayed;
        return made;
    }

    /// <summary>One return as it stands at a sequence, with what its events say; null when there is none.</summary>
    public static Return? Read(StateReader reader, long number, long at)
    {
        if (ReadRow(reader, number, at) is not { } made) return null;
        var order = reader.Return(number, at).Head.Order;
        for (long cursor = 0; reader.PreviousEvent(order, at, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind is not (EventKind.ReturnRequested or EventKind.ReturnSent or EventKind.ReturnShippedBack) || NumberOf(e.Body) != number) continue;
            if (e.Kind == EventKind.ReturnSent)
            {
                var sent = Journaled.ReturnSent.Parser.ParseFrom(e.Body);
                (made.Carrier, made.TrackingNumber) = (sent.Carrier, sent.TrackingNumber);
            }
            else if (e.Kind == EventKind.ReturnShippedBack)
            {
                var sent = Journaled.ReturnShippedBack.Parser.ParseFrom(e.Body);
                (made.BackCarrier, made.BackTrackingNumber) = (sent.Carrier, sent.TrackingNumber);
            }
            else
            {
                made.Reason = Encoding.UTF8.GetString(e.Reason);
                break;
            }
        }
        return made;
    }

    /// <summary>One return from its row alone, as lists show it; null when there is none.</summary>
    public static Return? ReadRow(StateReader reader, long number, long at)
    {
        var view = reader.Return(number, at);
        if (!view.Exists) return null;
        ref readonly var head = ref view.Head;
        var made = new Return
        {
            ReturnId = Texts.Return(number),
            OrderId = Texts.Order(head.Order),
            ExternalReturnId = Encoding.UTF8.GetString(view.ExternalId),
            State = (ReturnState)head.State,
            ReplacementOrderId = head.Replacement == 0 ? "" : Texts.Order(head.Replacement),
            RefundMinor = head.Refund,
            LocationId = head.Location == 0 ? "" : Texts.Location(reader, head.Location),
            RequestTime = Texts.Time(head.RequestedAt),
            UpdateTime = Texts.Time(head.ChangedAt),
            Sequence = head.Version,
            Etag = Texts.Etag(head.Version),
        };
        var orderLines = reader.Order(head.Order, at).Lines;
        foreach (ref readonly var line in view.Lines)
        {
            made.Lines.Add(new ReturnLine
            {
                LineNumber = line.Line, SkuId = Texts.Sku(reader, orderLines[line.Line - 1].Sku), Requested = line.Requested, Restocked = line.Restocked,
                Quarantined = line.Quarantined, Scrapped = line.Scrapped, Repaired = line.Repaired,
            });
        }
        foreach (ref readonly var line in view.Replacements)
            made.ReplacementLines.Add(new OrderLineDraft { SkuId = Texts.Sku(reader, line.Sku), Quantity = line.Quantity, UnitPriceMinor = line.UnitPrice });
        return made;
    }

    /// <summary>Adds to an order what it has after the sale.</summary>
    public static void AddTo(Order order, StateReader reader, long number, OrderView view, long at)
    {
        var row = reader.AfterSale(number, at);
        if (row.ForReturn != 0)
        {
            order.ForReturnId = Texts.Return(row.ForReturn);
            order.ReplacesOrderId = Texts.Order(reader.Return(row.ForReturn, at).Head.Order);
        }
        if (row.Returns == 0) return;
        order.ReturnRefundMinor = row.Refund;
        order.ReturnState = (OrderReturnState)Core.OrderReturns.Derive(in row, view.Lines);
        for (var one = row.LastReturn; one != 0 && order.ReturnIds.Count < IdsShown; one = reader.Return(one, at).Head.Previous) order.ReturnIds.Add(Texts.Return(one));
    }

    /// <summary>A step of a return for those who follow the order.</summary>
    public static ReturnChanged Changed(Journaled.Event e)
    {
        var changed = new ReturnChanged { State = StateAfter((EventKind)e.BodyCase) };
        switch (e.BodyCase)
        {
            case Journaled.Event.BodyOneofCase.ReturnRequested:
                changed.ReturnId = Texts.Return((long)e.ReturnRequested.Return);
                foreach (var line in e.ReturnRequested.Lines) changed.Lines.Add(new LineQuantity { LineNumber = (int)line.Line, Quantity = (int)line.Quantity });
                break;
            case Journaled.Event.BodyOneofCase.ReturnReceived:
                changed.ReturnId = Texts.Return((long)e.ReturnReceived.Return);
                changed.RefundMinor = (long)e.ReturnReceived.Refund;
                foreach (var line in e.ReturnReceived.Units.GroupBy(units => units.Line))
                    changed.Lines.Add(new LineQuantity { LineNumber = (int)line.Key, Quantity = line.Sum(units => (int)units.Quantity) });
                break;
            case Journaled.Event.BodyOneofCase.ReturnApproved:
                changed.ReturnId = Texts.Return((long)e.ReturnApproved.Return);
                changed.ReplacementOrderId = e.ReturnApproved.ReplacementOrder == 0 ? "" : Texts.Order((long)e.ReturnApproved.ReplacementOrder);
                break;
            case Journaled.Event.BodyOneofCase.ReturnRejected: changed.ReturnId = Texts.Return((long)e.ReturnRejected.Return); break;
            case Journaled.Event.BodyOneofCase.ReturnSent: changed.ReturnId = Texts.Return((long)e.ReturnSent.Return); break;
            case Journaled.Event.BodyOneofCase.ReturnRepaired: changed.ReturnId = Texts.Return((long)e.ReturnRepaired.Return); break;
            case Journaled.Event.BodyOneofCase.ReturnShippedBack: changed.ReturnId = Texts.Return((long)e.ReturnShippedBack.Return); break;
            case Journaled.Event.BodyOneofCase.ReturnClosed: changed.ReturnId = Texts.Return((long)e.ReturnClosed.Return); break;
        }
        return changed;
    }

    private static ReturnState StateAfter(EventKind kind) => kind switch
    {
        EventKind.ReturnRequested => ReturnState.Requested,
        EventKind.ReturnApproved => ReturnState.Approved,
        EventKind.ReturnRejected => ReturnState.Rejected,
        EventKind.ReturnSent => ReturnState.InTransit,
        EventKind.ReturnReceived => ReturnState.Received,
        EventKind.ReturnRepaired => ReturnState.Repaired,
        EventKind.ReturnShippedBack => ReturnState.ShippedBack,
        EventKind.ReturnClosed => ReturnState.Closed,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not an event of a return."),
    };

    // Field 1 of every event of a return.
    private static long NumberOf(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        return reader.Next(out var field, out _) && field == 1 ? reader.Long() : 0;
    }
}
