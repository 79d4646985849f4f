// Exceptions, deadlines and lists of orders as they stand, for clients. Inside a read guard that the caller holds.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's exceptions, deadlines and summaries from rows.</summary>
internal static class FollowUpReads
{
    /// <summary>Open exceptions shown with their order.</summary>
    private const int ExceptionsShown = 100;

    /// <summary>An exception as it stands at a sequence; it exists there.</summary>
    public static RaisedException Exception(StateReader reader, long number, long at)
    {
        var exception = reader.Exception(number, at);
        ref readonly var head = ref exception.Head;
        return new RaisedException
        {
            ExceptionId = Texts.Exception(number),
            Kind = (V1.ExceptionKind)head.Kind,
            Grade = (V1.Grade)head.Grade,
            Owner = (V1.Role)head.Owner,
            OrderId = head.Order == 0 ? "" : Texts.Order(head.Order),
            LineNumber = head.Line,
            SkuId = Texts.Sku(reader, head.Sku),
            LocationId = Texts.Location(reader, head.Location),
            Quantity = head.Quantity,
            Deadline = (Deadline)head.Deadline,
            Detail = Encoding.UTF8.GetString(exception.Detail),
            RaiseTime = Texts.Time(head.RaisedAt),
            ResolveTime = Texts.Time(head.ResolvedAt),
            ResolvedBy = exception.IsOpen ? null : new Actor { Id = Encoding.UTF8.GetString(exception.Resolver), Role = head.ResolvedBy == Core.Role.None ? V1.Role.System : (V1.Role)head.ResolvedBy },
            Resolution = Encoding.UTF8.GetString(exception.Resolution),
            Sequence = head.Version,
            Etag = Texts.Etag(head.Version),
        };
    }

    /// <summary>An exception as it was raised.</summary>
    public static RaisedException Raised(StateReader reader, Journaled.Event e)
    {
        var raised = e.ExceptionRaised;
        return new RaisedException
        {
            ExceptionId = Texts.Exception((long)raised.Exception), Kind = (V1.ExceptionKind)raised.Kind, Grade = (V1.Grade)raised.Grade, Owner = (V1.Role)raised.Owner,
            OrderId = Texts.Order((long)e.Order), LineNumber = (int)raised.Line, SkuId = Texts.Sku(reader, (int)raised.Sku),
            LocationId = Texts.Location(reader, (int)raised.Location), Quantity = (long)raised.Quantity, Deadline = (Deadline)raised.Deadline, Detail = raised.Detail,
            RaiseTime = Texts.Time((long)e.Time), Sequence = (long)e.Sequence, Etag = Texts.Etag((long)e.Sequence),
        };
    }

    /// <summary>Adds an order's open exceptions, newest first, and its deadlines.</summary>
    public static void AddTo(Order order, StateReader reader, long number, in OrderHead head, long at)
    {
        var left = Math.Min(head.OpenExceptions, ExceptionsShown);
        for (long one = head.LastException; one != 0 && left > 0;)
        {
            var exception = reader.Exception(one, at);
            if (exception.IsOpen)
            {
                order.Exceptions.Add(Exception(reader, one, at));
                left--;
            }
            one = exception.Head.Previous;
        }
        foreach (ref readonly var deadline in reader.Deadlines(number, at))
            order.Deadlines.Add(new OrderDeadline { Deadline = (Deadline)deadline.Kind, DueTime = Texts.Time(deadline.Due) });
    }

    /// <summary>An order in a list; it exists at the sequence.</summary>
    public static OrderSummary Summary(StateReader reader, long number, long at)
    {
        ref readonly var head = ref reader.Order(number, at).Head;
        return new OrderSummary
        {
            OrderId = Texts.Order(number),
            ChannelId = Texts.Channel(reader, head.Channel),
            ExternalOrderId = Encoding.UTF8.GetString(reader.ExternalId(number)),
            CustomerId = Texts.Customer(reader, head.Customer),
            Type = (V1.OrderType)head.Type,
            State = (V1.OrderState)head.State,
            Tier = head.Tier,
            Priority = (V1.Priority)head.Priority,
            CurrencyCode = Currency.Text(head.Currency),
            TotalMinor = head.Total,
            CancelledMinor = head.CancelledTotal,
            Lines = head.LineCount,
            OpenExceptions = head.OpenExceptions,
            AcceptTime = Texts.Time(head.AcceptedAt),
            UpdateTime = Texts.Time(head.ChangedAt),
            Sequence = head.Version,
            Etag = Texts.Etag(head.Version),
        };
    }
}
