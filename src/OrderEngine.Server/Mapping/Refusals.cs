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
    /// <param name="detailBytes">Room for the details: <see cref="ServerLimits.DetailBytes"/> in a trailer, <see cref="ServerLimits.ItemDetailBytes"/> in a message.</param>
    public static RpcStatus Of(in CommandAnswer answer, Command command, StateReader reader, int detailBytes)
    {
        var reason = (ErrorReason)answer.Outcome;
        var status = answer.Event.IsEmpty ? Errors.Status(reason) : Recorded(answer, reason, command, reader, detailBytes);
        // As the answers to accepted requests do: the client learns that it was told so before.
        if (answer.Replayed) AddMetadata(status, "replayed", "true");
        return status;
    }

    /// <summary>Leaves of a status what every client needs (ErrorInfo, RetryInfo), and says that there was more.</summary>
    public static void DropDetails(RpcStatus status)
    {
        for (var i = status.Details.Count - 1; i > 0; i--)
            if (!status.Details[i].Is(Google.Rpc.RetryInfo.Descriptor)) status.Details.RemoveAt(i);
        AddMetadata(status, "details_not_shown", "true");
    }

    private static void AddMetadata(RpcStatus status, string key, string value)
    {
        var info = status.Details[0].Unpack<Google.Rpc.ErrorInfo>();
        info.Metadata[key] = value;
        status.Details[0] = Any.Pack(info);
    }

    private static RpcStatus Recorded(in CommandAnswer answer, ErrorReason reason, Command command, StateReader reader, int detailBytes)
    {
        var recorded = new EventView(answer.Event.Span);
        var refusal = Contracts.Journal.RequestRefused.Parser.ParseFrom(recorded.Body);
        switch (answer.Outcome)
        {
            case Outcome.OutOfStock:
                return OutOfStock(refusal, command, reader, detailBytes);
            case Outcome.ExternalIdTaken when refusal.Object != 0:
                return Errors.Status(reason, ("order_id", PublicId.Format(PublicId.Order, (long)refusal.Object)));
            case Outcome.IllegalTransition when recorded.Before != Core.OrderState.None:
                return Errors.Status(reason, ("state", Name(recorded.Before)));
            case Outcome.ReturnIdTaken:
                return Errors.Status(reason, ("return_id", Texts.Return((long)refusal.Object)));
            case Outcome.IllegalReturnTransition:
                return Errors.Status(reason, ("state", Name<Core.ReturnState, Contracts.V1.ReturnState>((Core.ReturnState)refusal.ReturnState, "RETURN_STATE_")));
            case Outcome.NotAmendable or Outcome.QuantityNotAvailable when refusal.Line != 0:
                return Errors.Status(reason, ("line_number", Number((int)refusal.Line)));
            case Outcome.OrderOnHold:
                return Errors.Status(reason, ("holds", string.Join(',', Holds.KindsOf((OrderHolds)refusal.Holds).Select(kind => kind.ToString().ToUpperInvariant()))));
            default:
                return Errors.Status(reason);
        }
    }

    private static RpcStatus OutOfStock(Contracts.Journal.RequestRefused refusal, Command command, StateReader reader, int detailBytes)
    {
        var linesTold = detailBytes >= ServerLimits.ItemDetailBytes ? Limits.LinesPerOrder : LineNumbersTold;
        var linesNotShown = 0;
        var shortages = new List<Any>();
        var budget = detailBytes - StatusBytes;
        foreach (var shortage in refusal.Shortages)
        {
            var detail = Shortages.Map(reader, shortage);
            var untold = AddLines(detail, command, (int)shortage.Sku, linesTold);
            var packed = Any.Pack(detail);
            budget -= packed.CalculateSize();
            if (budget < 0 && shortages.Count > 0) break;
            linesNotShown += untold;
            shortages.Add(packed);
        }
        var notShown = refusal.Shortages.Count - shortages.Count;
        var cause = Errors.Entry(ErrorReason.OutOfStock).Cause;
        var status = Errors.Status(ErrorReason.OutOfStock, notShown == 0 ? cause : $"{cause} Not shown: {Number(notShown)} more SKUs are short.",
            ("shortages", Number(refusal.Shortages.Count)));
        if (notShown > 0) AddMetadata(status, "shortages_not_shown", Number(notShown));
        if (linesNotShown > 0) AddMetadata(status, "line_numbers_not_shown", Number(linesNotShown));
        status.Details.Add(shortages);
        return status;
    }

    // Of a status: its message, ErrorInfo and what is added to it.
    private const int StatusBytes = 640;

    // At most so many line numbers in a trailer: a SKU on all of 2,000 lines would fill it by itself.
    internal const int LineNumbersTold = 200;

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <returns>How many lines more there are.</returns>
    private static int AddLines(StockShortage detail, Command command, int sku, int most)
    {
        var untold = 0;
        switch (command)
        {
            case SubmitOrder submit:
                for (var i = 0; i < submit.Lines.Length; i++)
                    if (submit.Lines[i].Sku == sku) Add(i + 1);
                break;
            case AmendOrder amend:
                for (var i = 0; i < amend.Lines.Length; i++)
                    if (amend.Lines[i].Sku == sku) Add(i + 1);
                break;
            case CreateReservation create:
                for (var i = 0; i < create.Items.Length; i++)
                    if (create.Items[i].Sku == sku) Add(i + 1);
                break;
        }
        return untold;

        void Add(int line)
        {
            if (detail.LineNumbers.Count < most) detail.LineNumbers.Add(line);
            else untold++;
        }
    }

    // Without its prefix, as all metadata names values.
    private static string Name(Core.OrderState state) => Name<Core.OrderState, Contracts.V1.OrderState>(state, "ORDER_STATE_");

    private static string Name<TCore, TWire>(TCore state, string prefix) where TCore : struct, System.Enum => CommonReflection.Descriptor
        .FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>(typeof(TWire).Name).FindValueByNumber(Convert.ToInt32(state, CultureInfo.InvariantCulture))?.Name[prefix.Length..]
        ?? state.ToString()!;
}
