// Owns track and watch. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class FollowCommands
{
    public static Command Track(Runner run)
    {
        var command = new Command("track", "Show where an order stands, as its buyer may see it.");
        var id = new Argument<string?>("ORDER_ID") { Description = "The engine's id of the order.", Arity = ArgumentArity.ZeroOrOne };
        var channel = new Option<string?>("--channel") { Description = "Instead of the id: the channel ...", HelpName = "ID" };
        var external = new Option<string?>("--external-id") { Description = "... and its own number for the order.", HelpName = "ID" };
        command.Add(id);
        command.Add(channel);
        command.Add(external);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new TrackOrderRequest { OrderId = session.Get(id) ?? "", ChannelId = session.Get(channel) ?? "", ExternalOrderId = session.Get(external) ?? "" };
            if (request.OrderId.Length > 0 == (request.ChannelId.Length > 0 && request.ExternalOrderId.Length > 0))
                throw new UsageException("Name the order: either ORDER_ID, or --channel ID and --external-id ID.");
            var found = await session.Client.Tracking.TrackOrderAsync(request, cancellationToken: cancellationToken);
            return session.Answer(found, s =>
            {
                s.Fields(("order", $"{found.ExternalOrderId} [{found.OrderId}]"), ("state", Values.Upper(found.State)));
                s.Table([">line", "sku", ">ordered", ">shipped", ">delivered", ">waiting", ">cancelled"], found.Lines.Select(line => new[]
                {
                    Session.Number(line.LineNumber), line.SkuId, Session.Number(line.Quantity), Session.Number(line.Shipped), Session.Number(line.Delivered),
                    Session.Number(line.Backordered), Session.Number(line.Cancelled),
                }));
                foreach (var parcel in found.Parcels)
                    s.Say(Follow.ParcelLine(parcel));
                foreach (var milestone in found.Milestones)
                    s.Say($"{Session.Time(milestone.Time)}  {Values.Upper(milestone.State)}");
            });
        });
    }

    public static Command Watch(Runner run)
    {
        var command = new Command("watch", "Follow orders as they change, over restarts of the engine, until Ctrl-C. With --json each line is an update with its resumeToken.");
        var channels = Values.Ids("--channel", "Only this channel; repeat for more.");
        var customers = Values.Ids("--customer", "Only this customer; repeat for more.");
        var orders = Values.Ids("--order", "Only this order; repeat for more.");
        var states = Values.Choices<OrderState>("--state", "Only changes into or out of this state; repeat for more.");
        var follow = new Follow();
        foreach (var option in new Option[] { channels, customers, orders, states })
            command.Add(option);
        follow.AddTo(command);
        return run.Does(command, (session, cancellationToken) => follow.RunAsync(session, async token =>
        {
            var filter = new WatchFilter
            {
                ChannelIds = { session.Get(channels) ?? [] }, CustomerIds = { session.Get(customers) ?? [] }, OrderIds = { session.Get(orders) ?? [] },
                States = { session.Get(states) ?? [] },
            };
            var updates = session.Client.WatchOrdersAsync(filter, session.Get(follow.Token), session.Get(follow.Snapshot), error => Follow.Broke(session, error), token);
            await foreach (var update in updates)
            {
                Show(session, update);
                if (follow.Took(session, update.Orders.Count + update.Events.Count, update.ResumeToken))
                    return;
            }
        }, cancellationToken), retryFor: null);
    }

    private static void Show(Session session, OrderEngine.Client.OrderUpdate update)
    {
        if (session.Json)
        {
            var message = new WatchOrdersResponse { ResumeToken = update.ResumeToken, HighWatermark = update.HighWatermark };
            if (update.Events.Count > 0)
                message.Events = new OrderEventPage { Events = { update.Events } };
            else if (update.IsHeartbeat)
                message.Heartbeat = new Heartbeat();
            else
                message.Snapshot = new OrderPage { Orders = { update.Orders }, Last = update.SnapshotComplete };
            session.Say(Session.ToJson(message));
            return;
        }

        foreach (var order in update.Orders)
            session.Say($"#{order.Sequence}  {Session.Time(order.UpdateTime)}  {order.ChannelId} {order.ExternalOrderId}  {Values.Upper(order.State)}  [{order.OrderId}]");
        if (update.SnapshotComplete)
            session.Note("That is how things stand; changes follow.");
        foreach (var happened in update.Events)
            session.Say(Follow.EventLine(happened));
    }
}
