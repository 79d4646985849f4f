// Outcomes that are not Ok, to statuses. What a refusal says comes from the recorded event, so that a retry gets the same.

using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes statuses from outcomes.</summary>
internal static class Refusals
{
    /// <summary>The status of an answer whose outcome is not Ok.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="command">What was asked: its lines tell which of them lack stock.</param>
    /// <param name="reader">For ids.</param>
    public static RpcStatus Of(in CommandAnswer answer, Command command, StateReader reader)
    {
        var status = OfOutcome(answer, command, reader);
        if (!answer.Replayed) return status;
        var info = status.Details[0].Unpack<Google.Rpc.ErrorInfo>();
        info.Metadata[ReplayedKey] = "true";
        status.Details[0] = Any.Pack(info);
        return status;
    }

    // As errors.proto promises: the caller can tell a recorded refusal from a new one.
    private const string ReplayedKey = "replayed";

    private static RpcStatus OfOutcome(in CommandAnswer answer, Command command, StateReader reader)
    {
        var reason = (ErrorReason)answer.Outcome;
        if (answer.Event.IsEmpty) return Errors.Status(reason);
        var status = Recorded(answer, reason, command, reader);
        return answer.Replayed ? MarkReplayed(status) : status;
    }

    private static RpcStatus Recorded(in CommandAnswer answer, ErrorReason reason, Command command, StateReader reader)
    {
        var recorded = new EventView(answer.Event.Span);
        var refusal = Contracts.Journal.RequestRefused.Parser.ParseFrom(recorded.Body);
        switch (answer.Outcome)
        {
            case Outcome.OutOfStock:
                return OutOfStock(refusal, command, reader);
            case Outcome.ExternalIdTaken when refusal.Object != 0:
                return Errors.Status(reason, ("order_id", PublicId.Format(PublicId.Order, (long)refusal.Object)));
            case Outcome.IllegalTransition when recorded.Before != Core.OrderState.None:
                return Errors.Status(reason, ("state", Name(recorded.Before)));
            default:
                return Errors.Status(reason);
        }
    }

    // As the answers to accepted requests do: the client learns that it was told so before.
    private static RpcStatus MarkReplayed(RpcStatus status)
    {
        var info = status.Details[0].Unpack<Google.Rpc.ErrorInfo>();
        info.Metadata["replayed"] = "true";
        status.Details[0] = Any.Pack(info);
        return status;
    }

    private static RpcStatus OutOfStock(Contracts.Journal.RequestRefused refusal, Command command, StateReader reader)
    {
        var count = refusal.Shortages.Count.ToString(CultureInfo.InvariantCulture);
        var status = Errors.Status(ErrorReason.OutOfStock, ("shortages", count));
        var budget = ServerLimits.DetailBytes - status.CalculateSize();
        foreach (var shortage in refusal.Shortages)
        {
            var detail = new StockShortage
            {
                SkuId = Texts.Sku(reader, (int)shortage.Sku), Requested = (long)shortage.Requested, Available = (long)shortage.Available,
                Missing = (long)(shortage.Requested - shortage.Available),
            };
            AddLines(detail, command, (int)shortage.Sku);
            var packed = Any.Pack(detail);
            budget -= packed.CalculateSize();
            if (budget < 0 && status.Details.Count > 1) break;
            status.Details.Add(packed);
        }
        return status;
    }

    // At most so many line numbers: a SKU on all of 2,000 lines would fill the trailer by itself.
    private const int LineNumbersTold = 200;

    private static void AddLines(StockShortage detail, Command command, int sku)
    {
        switch (command)
        {
            case SubmitOrder submit:
                for (var i = 0; i < submit.Lines.Length && detail.LineNumbers.Count < LineNumbersTold; i++)
                    if (submit.Lines[i].Sku == sku) detail.LineNumbers.Add(i + 1);
                break;
            case CreateReservation create:
                for (var i = 0; i < create.Items.Length && detail.LineNumbers.Count < LineNumbersTold; i++)
                    if (create.Items[i].Sku == sku) detail.LineNumbers.Add(i + 1);
                break;
        }
    }

    private static string Name(Core.OrderState state) =>
        CommonReflection.Descriptor.FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>(nameof(Contracts.V1.OrderState)).FindValueByNumber((int)state)?.Name ?? state.ToString();
}
