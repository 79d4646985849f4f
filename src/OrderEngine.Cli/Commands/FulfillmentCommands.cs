// Owns release, recall, ship, deliver and lose. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class FulfillmentCommands
{
    public static Command Release(Runner run)
    {
        var command = new Command("release", "Hand reserved units to the warehouse.");
        var id = OrderCommands.OrderId();
        var lines = AtLocation("everything that is reserved");
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ReleaseShipmentRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
            };
            return Answer(session, await session.Client.Fulfillment.ReleaseShipmentAsync(request, cancellationToken: cancellationToken), "Released.");
        });
    }

    public static Command Ship(Runner run)
    {
        var command = new Command("ship", "Say that released units left in a parcel.");
        var id = OrderCommands.OrderId();
        var lines = AtLocation("everything that is released");
        var missed = Values.Many("--short", "Released units of this line that were not found; repeat for more.", "LINE=QUANTITY@LOCATION", Values.LineAtLocation);
        var damaged = Values.Many("--damaged", "Released units of this line that cannot be sold; repeat for more.", "LINE=QUANTITY@LOCATION", Values.LineAtLocation);
        var carrier = new Option<string?>("--carrier") { Description = "Who carries it.", HelpName = "NAME" };
        var tracking = new Option<string?>("--tracking-number") { Description = "The carrier's number.", HelpName = "NUMBER" };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, missed, damaged, carrier, tracking, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ConfirmShipmentRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
                Carrier = session.Get(carrier) ?? "", TrackingNumber = session.Get(tracking) ?? "",
            };
            request.ShortPicks.Add((session.Get(missed) ?? []).Select(at => Short(at, ShortPickCause.Missing)));
            request.ShortPicks.Add((session.Get(damaged) ?? []).Select(at => Short(at, ShortPickCause.Damaged)));
            return Answer(session, await session.Client.Fulfillment.ConfirmShipmentAsync(request, cancellationToken: cancellationToken), "Shipped.");
        });
    }

    public static Command Recall(Runner run)
    {
        var command = new Command("recall", "Take released units back from the warehouse: they are reserved again.");
        var id = OrderCommands.OrderId();
        var lines = AtLocation("everything that is released");
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new RecallShipmentRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
            };
            return Answer(session, await session.Client.Fulfillment.RecallShipmentAsync(request, cancellationToken: cancellationToken), "Recalled.");
        });
    }

    public static Command Deliver(Runner run) => Arrival(run, "deliver", "Say that shipped units arrived.", async (session, report, cancellationToken) =>
        Answer(session, await session.Client.Fulfillment.RecordDeliveryAsync(report, cancellationToken: cancellationToken), "Delivered."));

    public static Command Lose(Runner run) => Arrival(run, "lose", "Say that shipped units are lost.", async (session, report, cancellationToken) =>
    {
        var request = new RecordLossRequest { RequestId = report.RequestId, OrderId = report.OrderId, Etag = report.Etag, Lines = { report.Lines }, ParcelNumber = report.ParcelNumber };
        return Answer(session, await session.Client.Fulfillment.RecordLossAsync(request, cancellationToken: cancellationToken), "Lost.");
    });

    private static Command Arrival(Runner run, string name, string description, Func<Session, RecordDeliveryRequest, CancellationToken, Task<int>> send)
    {
        var command = new Command(name, description);
        var id = OrderCommands.OrderId();
        var lines = Values.Many("--line", "Only so many units of this line; repeat for more. Left out: everything that is under way.", "LINE=QUANTITY", Values.LineQuantity);
        var parcel = new Option<int?>("--parcel") { Description = "Only of this parcel, as 'orderctl track' numbers them.", HelpName = "NUMBER" };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, parcel, etag, requestId);
        return run.Does(command, (session, cancellationToken) => send(session, new RecordDeliveryRequest
        {
            RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
            ParcelNumber = session.Get(parcel) ?? 0,
        }, cancellationToken));
    }

    private static ShortPick Short(LineAtLocation at, ShortPickCause cause) =>
        new() { LineNumber = at.LineNumber, LocationId = at.LocationId, Quantity = at.Quantity, Cause = cause };

    private static Option<LineAtLocation[]> AtLocation(string otherwise) =>
        Values.Many("--line", $"Only so many units of this line at this location; repeat for more. Left out: {otherwise}.", "LINE=QUANTITY@LOCATION", Values.LineAtLocation);

    private static int Answer(Session session, FulfillmentResponse answer, string word) => session.Answer(answer, s =>
    {
        s.Say(word);
        s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
    });
}
