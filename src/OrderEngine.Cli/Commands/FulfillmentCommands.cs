// Owns release, ship and deliver. One thread.
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
        var carrier = new Option<string?>("--carrier") { Description = "Who carries it.", HelpName = "NAME" };
        var tracking = new Option<string?>("--tracking-number") { Description = "The carrier's number.", HelpName = "NUMBER" };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, carrier, tracking, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ConfirmShipmentRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
                Carrier = session.Get(carrier) ?? "", TrackingNumber = session.Get(tracking) ?? "",
            };
            return Answer(session, await session.Client.Fulfillment.ConfirmShipmentAsync(request, cancellationToken: cancellationToken), "Shipped.");
        });
    }

    public static Command Deliver(Runner run)
    {
        var command = new Command("deliver", "Say that shipped units arrived.");
        var id = OrderCommands.OrderId();
        var lines = Values.Many("--line", "Only so many units of this line; repeat for more. Left out: everything that is shipped.", "LINE=QUANTITY", Values.LineQuantity);
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, lines, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new RecordDeliveryRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Lines = { session.Get(lines) ?? [] },
            };
            return Answer(session, await session.Client.Fulfillment.RecordDeliveryAsync(request, cancellationToken: cancellationToken), "Delivered.");
        });
    }

    private static Option<LineAtLocation[]> AtLocation(string otherwise) =>
        Values.Many("--line", $"Only so many units of this line at this location; repeat for more. Left out: {otherwise}.", "LINE=QUANTITY@LOCATION", Values.LineAtLocation);

    private static int Answer(Session session, FulfillmentResponse answer, string word) => session.Answer(answer, s =>
    {
        s.Say(word);
        s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
    });
}
