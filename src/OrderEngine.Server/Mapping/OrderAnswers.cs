// Answers to commands on orders, made from the answering event alone, so that a replay says the same. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's answers from answering events.</summary>
internal static class OrderAnswers
{
    private const int LinesField = 8, ReviewReasonsField = 40, ConfirmTimeField = 240;

    /// <summary>An order's acceptance. The hot path: read in place, nothing allocated but the response.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="reader">For ids.</param>
    /// <param name="explains">True: says of what is short when it is expected and what could be had instead.</param>
    public static SubmitOrderResponse Submitted(in CommandAnswer answer, StateReader reader, bool explains)
    {
        var e = new EventView(answer.Event.Span);
        var response = new SubmitOrderResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence),
            AcceptTime = Texts.Time(e.Time), Replayed = answer.Replayed,
        };
        var body = new ProtoReader(e.Body);
        var number = 0;
        while (body.Next(out var field, out var wireType))
        {
            if (field == ReviewReasonsField)
            {
                response.ReviewReasons.Add(ReviewReads.Reason(body.Bytes()));
                continue;
            }
            if (field != LinesField)
            {
                if (field == ConfirmTimeField) response.RequiresConfirmation = true;
                body.Skip(wireType);
                continue;
            }
            number++;
            var line = new LineReader(body.Bytes());
            if (line.Backordered + line.Cancelled == 0) continue;
            response.Shortfalls.Add(new LineShortfall
            {
                LineNumber = number, SkuId = Texts.Sku(reader, line.Sku), Ordered = line.Quantity, Reserved = line.Reserved,
                Backordered = line.Backordered, Cancelled = line.Cancelled,
            });
        }
        if (explains && response.Shortfalls.Count > 0) Shortages.Add(response.Shortages, reader, Journaled.OrderSubmitted.Parser.ParseFrom(e.Body));
        return response;
    }

    /// <summary>What a dry run came to.</summary>
    public static CheckFulfillabilityResponse Checked(in CommandAnswer answer, StateReader reader)
    {
        var e = new EventView(answer.Event.Span);
        var response = new CheckFulfillabilityResponse { Acceptable = true, State = (OrderState)e.After, Sequence = answer.Sequence };
        var submitted = Journaled.OrderSubmitted.Parser.ParseFrom(e.Body);
        ReviewReads.AddReasons(response.ReviewReasons, submitted.ReviewReasons);
        Shortages.Add(response.Shortages, reader, submitted);
        response.RequiresConfirmation = submitted.ConfirmTime != 0;
        var lines = submitted.Lines;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i];
            var mapped = new LineFulfillability
            {
                LineNumber = i + 1, SkuId = Texts.Sku(reader, (int)line.Sku), Ordered = (int)line.Quantity,
                Reserved = (int)(line.Quantity - line.Backordered - line.Cancelled), Backordered = (int)line.Backordered, Cancelled = (int)line.Cancelled,
            };
            foreach (var part in line.Reserved)
                mapped.Allocations.Add(new LineAllocation { LocationId = Texts.Location(reader, (int)part.Location), Reserved = (int)part.Quantity });
            response.Lines.Add(mapped);
        }
        return response;
    }

    /// <summary>A cancellation.</summary>
    public static CancelOrderResponse Cancelled(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        var response = new CancelOrderResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
        };
        response.Cancelled.Add(OrderEvents.Cancelled(Journaled.OrderCancelled.Parser.ParseFrom(e.Body).Lines));
        return response;
    }

    /// <summary>An approval or a rejection.</summary>
    public static ReviewResponse Reviewed(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        return new ReviewResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
        };
    }

    /// <summary>A release, shipment or delivery.</summary>
    public static FulfillmentResponse Fulfilled(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        return new FulfillmentResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
        };
    }

    /// <summary>An amendment, before and after.</summary>
    public static AmendOrderResponse Amended(in CommandAnswer answer, StateReader reader)
    {
        var e = new EventView(answer.Event.Span);
        return new AmendOrderResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
            Amended = OrderEvents.Amended(Journaled.OrderAmended.Parser.ParseFrom(e.Body), reader),
        };
    }

    /// <summary>A hold that was placed or released, or an order that was confirmed: the open ones are field 2 of each.</summary>
    public static HoldResponse Held(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        var response = new HoldResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
        };
        response.Open.Add(Holds.KindsOf((Core.OrderHolds)Journaled.HoldPlaced.Parser.ParseFrom(e.Body).Open));
        return response;
    }

    /// <summary>A note.</summary>
    public static AddNoteResponse Noted(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        var added = Journaled.NoteAdded.Parser.ParseFrom(e.Body);
        return new AddNoteResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
            ReviewRuleIds = { added.ReviewRules }, Open = { Holds.KindsOf((Core.OrderHolds)added.Open) },
        };
    }

    /// <summary>One encoded orderengine.journal.SubmittedLine.</summary>
    private readonly ref struct LineReader
    {
        public LineReader(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.Next(out var field, out var wireType))
            {
                switch (field)
                {
                    case 1: Sku = reader.Int(); break;
                    case 2: Quantity = reader.Int(); break;
                    case 4: Backordered = reader.Int(); break;
                    case 5: Cancelled = reader.Int(); break;
                    default: reader.Skip(wireType); break;
                }
            }
        }

        public int Sku { get; }
        public int Quantity { get; }
        public int Backordered { get; }
        public int Cancelled { get; }
        public int Reserved => Quantity - Backordered - Cancelled;
    }
}
