// The short way of an answer: from the accepting event's bytes to the answer's, without objects in between. Taken by orders that got all they asked
// for and wait for nobody; the others go the long way (OrderAnswers). PlainOrderTests holds the two together. Any thread.

using System.Buffers.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Wire;
using static OrderEngine.Server.Wire.WireWriter;
using Journaled = OrderEngine.Contracts.Journal;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Writes SubmitOrderResponses and SubmitResults.</summary>
internal static class PlainAnswers
{
    private const byte OrderId = SubmitOrderResponse.OrderIdFieldNumber << 3 | Delimited;
    private const byte Sequence = SubmitOrderResponse.SequenceFieldNumber << 3 | Numeric;
    private const byte State = SubmitOrderResponse.StateFieldNumber << 3 | Numeric;
    private const byte Etag = SubmitOrderResponse.EtagFieldNumber << 3 | Delimited;
    private const byte AcceptTime = SubmitOrderResponse.AcceptTimeFieldNumber << 3 | Delimited;
    private const byte Replayed = SubmitOrderResponse.ReplayedFieldNumber << 3 | Numeric;
    private const byte Results = StreamSubmitOrdersResponse.ResultsFieldNumber << 3 | Delimited;
    private const byte ClientSeq = SubmitResult.ClientSeqFieldNumber << 3 | Numeric;
    private const byte Accepted = SubmitResult.AcceptedFieldNumber << 3 | Delimited;

    // Six fields of at most 20 digits or bytes each and their heads, and the two heads around them: less than half of this.
    private const int MostBytes = 256;
    private const int LongestNumber = 20;

    /// <summary>Adds an acceptance as the message itself.</summary>
    public static void AddResponse(EncodedMessage answer, in CommandAnswer accepted, StateReader reader)
    {
        var e = new EventView(accepted.Event.Span);
        if (!IsPlain(e))
        {
            answer.Write(OrderAnswers.Submitted(accepted, reader, explains: true));
            return;
        }
        answer.Advance(Write(answer.Reserve(MostBytes), e, accepted.Replayed));
    }

    /// <summary>Adds an acceptance as one of the results of a message; returns its bytes.</summary>
    public static int AddResult(EncodedMessage results, ulong clientSeq, in CommandAnswer accepted, StateReader reader)
    {
        var e = new EventView(accepted.Event.Span);
        var before = results.Length;
        if (IsPlain(e))
        {
            Span<byte> response = stackalloc byte[MostBytes];
            response = response[..Write(response, e, accepted.Replayed)];
            Span<byte> result = stackalloc byte[MostBytes];
            var one = new WireWriter(result);
            one.Number(ClientSeq, clientSeq);
            one.Bytes(Accepted, response);
            var all = new WireWriter(results.Reserve(MostBytes));
            all.Bytes(Results, result[..one.Length]);
            results.Advance(all.Length);
        }
        else
        {
            results.Add(Results, new SubmitResult { ClientSeq = clientSeq, Accepted = OrderAnswers.Submitted(accepted, reader, explains: false) });
        }
        return results.Length - before;
    }

    /// <summary>Adds a refusal as one of the results of a message; returns its bytes.</summary>
    public static int AddResult(EncodedMessage results, ulong clientSeq, RpcStatus refusal)
    {
        var before = results.Length;
        results.Add(Results, new SubmitResult { ClientSeq = clientSeq, Refused = refusal });
        return results.Length - before;
    }

    /// <summary>True when the answer is made of the event's header alone: all lines reserved whole, and no field of the event that came later than the first ones.</summary>
    public static bool IsPlain(in EventView e)
    {
        var body = new ProtoReader(e.Body);
        while (body.Next(out var field, out var wireType))
        {
            if (field > Journaled.OrderSubmitted.TierFieldNumber) return false;
            if (field != Journaled.OrderSubmitted.LinesFieldNumber)
            {
                body.Skip(wireType);
                continue;
            }
            var line = new ProtoReader(body.Bytes());
            while (line.Next(out var lineField, out var lineType))
            {
                if (lineField is not (Journaled.SubmittedLine.SkuFieldNumber or Journaled.SubmittedLine.QuantityFieldNumber
                    or Journaled.SubmittedLine.UnitPriceFieldNumber or Journaled.SubmittedLine.ReservedFieldNumber))
                    return false;
                line.Skip(lineType);
            }
        }
        return true;
    }

    private static int Write(Span<byte> room, in EventView e, bool replayed)
    {
        Span<byte> id = stackalloc byte[PublicId.Length];
        PublicId.Format(PublicId.Order, e.Order, id);
        Span<byte> etag = stackalloc byte[LongestNumber];
        Utf8Formatter.TryFormat(e.Sequence, etag, out var etagLength);
        Span<byte> time = stackalloc byte[2 * (1 + LongestNumber)];

        var response = new WireWriter(room);
        response.Bytes(OrderId, id);
        response.Number(Sequence, (ulong)e.Sequence);
        response.Number(State, (ulong)e.After);
        response.Bytes(Etag, etag[..etagLength]);
        if (e.Time != 0) response.Bytes(AcceptTime, time[..WireWriter.Time(time, e.Time)]);
        response.Number(Replayed, replayed ? 1UL : 0);
        return response.Length;
    }
}
