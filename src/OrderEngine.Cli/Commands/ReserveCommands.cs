// Owns reserve create, extend, commit, release, get. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace OrderEngine.Cli.Commands;

internal static class ReserveCommands
{
    public static Command Reserve(Runner run)
    {
        var reserve = new Command("reserve", "Hold stock for a while without an order.");
        reserve.Add(Create(run));
        reserve.Add(Extend(run));
        reserve.Add(Commit(run));
        reserve.Add(Release(run));
        reserve.Add(Get(run));
        return reserve;
    }

    private static Argument<string> Id() => new("RESERVATION_ID") { Description = "The engine's id of the reservation." };

    private static Option<TimeSpan?> Ttl()
    {
        var ttl = Values.Duration("--ttl", "For how long: 1s to 24h.");
        ttl.Required = true;
        return ttl;
    }

    private static Command Create(Runner run)
    {
        var command = new Command("create", "Hold stock, all of it or none.");
        var channel = new Option<string>("--channel") { Description = "The sales channel.", HelpName = "ID", Required = true };
        var customer = new Option<string?>("--customer") { Description = "The customer, if known.", HelpName = "ID" };
        var items = Values.Many("--item", "What to hold; repeat for more.", "SKU=QUANTITY", Values.Item);
        items.Required = true;
        var (ttl, requestId) = (Ttl(), OrderCommands.RequestId());
        foreach (var option in new Option[] { channel, customer, items, ttl, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new CreateReservationRequest
            {
                RequestId = session.Get(requestId) ?? "", ChannelId = session.Get(channel)!, CustomerId = session.Get(customer) ?? "",
                Items = { session.Get(items)! }, Ttl = Duration.FromTimeSpan(session.Get(ttl)!.Value),
            };
            return Answer(session, await session.Client.Inventory.CreateReservationAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Extend(Runner run)
    {
        var command = new Command("extend", "Set a new time to live, counted from now.");
        var (id, ttl, etag, requestId) = (Id(), Ttl(), OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { ttl, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ExtendReservationRequest
            {
                RequestId = session.Get(requestId) ?? "", ReservationId = session.Get(id), Etag = session.Get(etag) ?? "",
                Ttl = Duration.FromTimeSpan(session.Get(ttl)!.Value),
            };
            return Answer(session, await session.Client.Inventory.ExtendReservationAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Commit(Runner run)
    {
        var command = new Command("commit", "Turn a reservation into an order of the same channel and customer.");
        var id = Id();
        var draft = new Draft();
        var requestId = OrderCommands.RequestId();
        command.Add(id);
        draft.AddTo(command);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var order = await draft.ReadAsync(session, externalIdNeeded: true, cancellationToken);
            var request = new CommitReservationRequest { RequestId = session.Get(requestId) ?? "", ReservationId = session.Get(id), Order = order };
            var answer = await session.Client.Inventory.CommitReservationAsync(request, cancellationToken: cancellationToken);
            return session.Answer(answer, s => OrderCommands.Accepted(s, answer, "Committed into an order"));
        });
    }

    private static Command Release(Runner run)
    {
        var command = new Command("release", "Free a reservation.");
        var (id, etag, requestId) = (Id(), OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        command.Add(etag);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ReleaseReservationRequest { RequestId = session.Get(requestId) ?? "", ReservationId = session.Get(id), Etag = session.Get(etag) ?? "" };
            return Answer(session, await session.Client.Inventory.ReleaseReservationAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Get(Runner run)
    {
        var command = new Command("get", "Show a reservation as it stands.");
        var id = Id();
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) => Answer(session,
            await session.Client.Inventory.GetReservationAsync(new GetReservationRequest { ReservationId = session.Get(id) }, cancellationToken: cancellationToken)));
    }

    private static int Answer(Session session, Reservation held) => session.Answer(held, s =>
    {
        s.Fields(("reservation", held.ReservationId), ("channel", held.ChannelId), ("customer", held.CustomerId), ("state", Values.Upper(held.State)),
            ("expires", Session.Time(held.ExpireTime)), ("reminded", held.Reminded ? "yes" : "no"),
            ("order", held.OrderId), ("sequence", Session.Number(held.Sequence)), ("etag", held.Etag));
        s.Table(["sku", "location", ">quantity"], held.Items.Select(item => new[] { item.SkuId, item.LocationId, Session.Number(item.Quantity) }));
    });
}
