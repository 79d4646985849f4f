// Owns what following has in common: where to start, when to stop, what an event looks like in a line. One thread.
using System.CommandLine;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal sealed class Follow
{
    private long _taken;
    private string _token = "";

    public Option<string?> Token { get; } = new("--token") { Description = "Go on where an earlier watch stopped.", HelpName = "TOKEN" };

    public Option<bool> Snapshot { get; } = new("--snapshot") { Description = "First everything as it stands, then the changes." };

    private Option<int?> Count { get; } = new("--count") { Description = "Stop after so many.", HelpName = "N" };

    public void AddTo(Command command)
    {
        command.Add(Token);
        command.Add(Snapshot);
        command.Add(Count);
    }

    /// <summary>Counts what was shown and keeps the token; true when it is enough.</summary>
    public bool Took(Session session, int items, string token)
    {
        session.Terminal.Out.Flush();
        if (token.Length > 0)
            _token = token;
        _taken += items;
        return session.Get(Count) is { } most && _taken >= most;
    }

    /// <summary>Runs a watch; however it ends, the way to go on is told on standard error.</summary>
    public async Task<int> RunAsync(Session session, Func<CancellationToken, Task> watch, CancellationToken cancellationToken)
    {
        if (session.Has(Token) && session.Has(Snapshot))
            throw new UsageException("--token goes on where a watch stopped, --snapshot starts anew: give one of them.");
        if (session.Get(Count) is < 1)
            throw new UsageException("--count must be at least 1.");
        try
        {
            await watch(cancellationToken);
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (ResumeTokenException gone)
        {
            var code = session.Refused(gone.Error);
            session.Note(gone.EarliestToken.Length > 0
                ? $"Start again with --snapshot, or with --token {gone.EarliestToken} if what lies between does not matter."
                : "Start again with --snapshot.");
            return code;
        }
        finally
        {
            if (_token.Length > 0 && !session.Json)
                session.Note($"Go on with --token {_token}");
        }
    }

    public static void Broke(Session session, OrderEngineError error)
    {
        session.Terminal.Out.Flush();
        session.Note($"orderctl: the stream broke ({error.Message}); connecting again");
    }

    /// <summary>One event in one line.</summary>
    public static string EventLine(OrderEvent e)
    {
        var before = e.StateBefore == OrderState.Unspecified || e.StateBefore == e.StateAfter ? "" : Values.Upper(e.StateBefore) + " -> ";
        var who = e.Actor is { } actor ? $"  by {(actor.Id.Length > 0 ? actor.Id : "anonymous")} ({Values.Upper(actor.Role)})" : "";
        var why = e.Reason.Length > 0 ? $"  {e.Reason}" : "";
        return $"#{e.Sequence}  {Session.Time(e.Time)}  {e.ChannelId} {e.ExternalOrderId}  {before}{Values.Upper(e.StateAfter)}  {What(e)}{why}{who}  [{e.OrderId}]";
    }

    /// <summary>One parcel in one line.</summary>
    public static string ParcelLine(Parcel parcel) =>
        $"parcel {parcel.ParcelNumber} {Values.Upper(parcel.State)}, left {parcel.LocationId} on {Session.Time(parcel.ShipTime)} {parcel.Carrier} {parcel.TrackingNumber}: " +
        string.Join(", ", parcel.Lines.Select(line => $"{Session.Number(line.Quantity)} of line {line.LineNumber}"));

    /// <summary>One open hold in one line.</summary>
    public static string HoldLine(OrderHold hold) =>
        $"held {Values.Upper(hold.Kind)} {hold.Reason} since {Session.Time(hold.PlaceTime)} by {(hold.Actor.Id.Length > 0 ? hold.Actor.Id : "anonymous")} ({Values.Upper(hold.Actor.Role)})";

    /// <summary>One open exception in one line.</summary>
    public static string ExceptionLine(RaisedException raised) =>
        $"{Values.Upper(raised.Grade)} exception for {Values.Upper(raised.Owner)}: {Values.Upper(raised.Kind)}{(raised.Detail.Length > 0 ? " " + raised.Detail : "")} since {Session.Time(raised.RaiseTime)} [{raised.ExceptionId}]";

    private static string What(OrderEvent e) => e.ChangeCase switch
    {
        OrderEvent.ChangeOneofCase.Submitted => $"submitted, {e.Submitted.Lines.Count} lines, {Session.Money(e.Submitted.TotalMinor, e.Submitted.CurrencyCode)}",
        OrderEvent.ChangeOneofCase.Cancelled => "cancelled " + Quantities(e.Cancelled.Lines),
        OrderEvent.ChangeOneofCase.BackorderFilled => $"stock came for line {e.BackorderFilled.LineNumber}: " +
            string.Join(", ", e.BackorderFilled.Reserved.Select(r => $"{Session.Number(r.Quantity)} at {r.LocationId}")),
        OrderEvent.ChangeOneofCase.BackorderPromised => $"line {e.BackorderPromised.LineNumber} " +
            (e.BackorderPromised.PromisedTime is { } promised ? $"is promised for {Session.Time(promised)}" : "is not promised any more"),
        OrderEvent.ChangeOneofCase.EarmarkingBegan => "takes what comes from now on",
        OrderEvent.ChangeOneofCase.ShipmentReleased => "released " + Movements(e.ShipmentReleased.Lines),
        OrderEvent.ChangeOneofCase.ShipmentConfirmed => $"shipped parcel {e.ShipmentConfirmed.ParcelNumber} ({e.ShipmentConfirmed.Carrier} {e.ShipmentConfirmed.TrackingNumber}): " +
            Movements(e.ShipmentConfirmed.Lines),
        OrderEvent.ChangeOneofCase.DeliveryRecorded => "delivered " + Quantities(e.DeliveryRecorded.Lines) + OfParcel(e.DeliveryRecorded.ParcelNumber),
        OrderEvent.ChangeOneofCase.LossRecorded => "lost " + Quantities(e.LossRecorded.Lines) + OfParcel(e.LossRecorded.ParcelNumber),
        OrderEvent.ChangeOneofCase.PickFellShort => "not found " + Movements(e.PickFellShort.Lines),
        OrderEvent.ChangeOneofCase.Deallocated => "taken away " + Movements(e.Deallocated.Lines),
        OrderEvent.ChangeOneofCase.ShipmentRecalled => "recalled " + Movements(e.ShipmentRecalled.Lines),
        OrderEvent.ChangeOneofCase.Amended => "amended " + string.Join(", ", e.Amended.ChangedFields) +
            string.Concat(e.Amended.Lines.Select(line => $"; line {line.LineNumber}: {Session.Number(line.QuantityBefore)} -> {Session.Number(line.Quantity)}")) +
            (e.Amended.ReviewReasons.Count == 0 ? "" : $"; to be looked at: {string.Join(", ", e.Amended.ReviewReasons.Select(reason => reason.RuleId))}") +
            (e.Amended.Delivery is { } now ? $"; delivery {(e.Amended.DeliveryBefore is { } before ? PersonalOptions.Line(before) : "(none)")} -> {PersonalOptions.Line(now)}" : ""),
        OrderEvent.ChangeOneofCase.Approved => "approved",
        OrderEvent.ChangeOneofCase.Rejected => "rejected " + Quantities(e.Rejected.Lines),
        OrderEvent.ChangeOneofCase.PaymentRecorded => $"{Session.Number(e.PaymentRecorded.AmountMinor)} minor units paid ({e.PaymentRecorded.Reference}): {Values.Upper(e.PaymentRecorded.Effect)}",
        OrderEvent.ChangeOneofCase.RefundRecorded => $"{Session.Number(e.RefundRecorded.AmountMinor)} minor units refunded ({e.RefundRecorded.Reference})",
        OrderEvent.ChangeOneofCase.Expired => "expired, let go of " + Quantities(e.Expired.Lines),
        OrderEvent.ChangeOneofCase.Completed => "completed: the time for returns is over",
        OrderEvent.ChangeOneofCase.ReturnWindowOver => "the time for returns is over; completed with the last that is open",
        OrderEvent.ChangeOneofCase.ExchangeCredited => $"the replacement of return {e.ExchangeCredited.ReturnId} came to nothing, {Session.Number(e.ExchangeCredited.RefundMinor)} minor units credited",
        OrderEvent.ChangeOneofCase.HoldPlaced => $"held, {Values.Upper(e.HoldPlaced.Kind)}",
        OrderEvent.ChangeOneofCase.ComplaintOpened => $"complaint {e.ComplaintOpened.ComplaintId} about {Values.Upper(e.ComplaintOpened.Category)} for {Values.Upper(e.ComplaintOpened.Owner)}",
        OrderEvent.ChangeOneofCase.ComplaintAssigned => $"complaint {e.ComplaintAssigned.ComplaintId} is for {Values.Upper(e.ComplaintAssigned.Owner)} {e.ComplaintAssigned.Assignee}".TrimEnd(),
        OrderEvent.ChangeOneofCase.ComplaintResolved => $"complaint {e.ComplaintResolved.ComplaintId} resolved, {Values.Upper(e.ComplaintResolved.Resolution)}",
        OrderEvent.ChangeOneofCase.FeedbackRecorded => $"rated {e.FeedbackRecorded.Rating} of 5",
        OrderEvent.ChangeOneofCase.Erased => "personal data erased",
        OrderEvent.ChangeOneofCase.Confirmed => "confirmed by the customer",
        OrderEvent.ChangeOneofCase.NoteAdded => "noted" + (e.NoteAdded.ReviewRuleIds.Count == 0 ? "" : $", looked for by {string.Join(", ", e.NoteAdded.ReviewRuleIds)}"),
        OrderEvent.ChangeOneofCase.HoldReleased => $"hold released, {Values.Upper(e.HoldReleased.Kind)}",
        OrderEvent.ChangeOneofCase.ReturnChanged => $"return {e.ReturnChanged.ReturnId} {Values.Upper(e.ReturnChanged.State)}" +
            (e.ReturnChanged.Lines.Count == 0 ? "" : ": " + Quantities(e.ReturnChanged.Lines)) +
            (e.ReturnChanged.ReplacementOrderId.Length == 0 ? "" : $", replacement {e.ReturnChanged.ReplacementOrderId}"),
        OrderEvent.ChangeOneofCase.ExceptionRaised => $"{Values.Upper(e.ExceptionRaised.Grade)} exception for {Values.Upper(e.ExceptionRaised.Owner)}: {Values.Upper(e.ExceptionRaised.Kind)}",
        OrderEvent.ChangeOneofCase.ExceptionResolved => $"exception {e.ExceptionResolved.ExceptionId} resolved {e.ExceptionResolved.Resolution}",
        OrderEvent.ChangeOneofCase.DeadlineReminded => $"deadline {Values.Upper(e.DeadlineReminded.Deadline)} comes near, {Session.Time(e.DeadlineReminded.DueTime)}",
        OrderEvent.ChangeOneofCase.DeadlineMissed => $"deadline {Values.Upper(e.DeadlineMissed.Deadline)} missed",
        _ => "changed",
    };

    private static string OfParcel(int number) => number == 0 ? "" : $" of parcel {number}";

    private static string Quantities(IEnumerable<LineQuantity> lines) => string.Join(", ", lines.Select(line => $"{Session.Number(line.Quantity)} of line {line.LineNumber}"));

    private static string Movements(IEnumerable<LineMovement> lines) =>
        string.Join(", ", lines.Select(line => $"{Session.Number(line.Quantity)} of line {line.LineNumber} at {line.LocationId}"));
}
