// Changing accepted orders over the wire: holds.

using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ChangeTests
{
    [Fact]
    public async Task A_hold_blocks_the_release_until_it_is_released_and_is_told_with_who_and_why()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = await Shop.OrderAsync(server);
        var place = new PlaceHoldRequest
        {
            RequestId = Shop.NewId(), OrderId = order.OrderId, Etag = order.Etag, Kind = HoldKind.Address, Reason = "NO_SUCH_STREET", Actor = new Actor { Id = "anna", Role = Role.Support },
        };

        var placed = await server.Orders.PlaceHoldAsync(place);
        await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Risk });
        var held = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        var replayed = await server.Orders.PlaceHoldAsync(place);
        var release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId };
        var refused = await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release));
        var again = await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release));

        Assert.Equal((order.OrderId, OrderState.Ready), (placed.OrderId, placed.State));
        Assert.Equal([HoldKind.Address], placed.Open);
        Assert.Equal(new HoldResponse(placed) { Replayed = true }, replayed);
        Assert.Equal([(HoldKind.Risk, "", "anonymous", Role.Reviewer), (HoldKind.Address, "NO_SUCH_STREET", "anna", Role.Support)],
            held.Holds.Select(hold => (hold.Kind, hold.Reason, hold.Actor.Id, hold.Actor.Role)));
        Assert.Equal(held.UpdateTime, held.Holds[0].PlaceTime);
        Assert.Equal(("ORDER_ON_HOLD", "RISK,ADDRESS"), (refused.Reason, refused.Metadata["holds"]));
        Assert.Equal(("ORDER_ON_HOLD", "RISK,ADDRESS", "true"), (again.Reason, again.Metadata["holds"], again.Metadata["replayed"]));

        foreach (var kind in new[] { HoldKind.Address, HoldKind.Risk })
            await server.Orders.ReleaseHoldAsync(new ReleaseHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = kind, Reason = "CHECKED" });
        Assert.Empty((await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).Holds);
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var events = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal(new HoldPlaced { Kind = HoldKind.Address, Open = { HoldKind.Address } }, events[1].HoldPlaced);
        Assert.Equal(new HoldPlaced { Kind = HoldKind.Risk, Open = { HoldKind.Risk, HoldKind.Address } }, events[2].HoldPlaced);
        Assert.Equal(new HoldReleased { Kind = HoldKind.Address, Open = { HoldKind.Risk } }, events[3].HoldReleased);
        Assert.Equal(("CHECKED", new HoldReleased { Kind = HoldKind.Risk }), (events[4].Reason, events[4].HoldReleased));
    }

    [Fact]
    public async Task A_held_order_can_be_cancelled_and_a_cancelled_one_not_held()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = await Shop.OrderAsync(server);
        await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Credit });
        await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });

        var refused = await Refusal.ExpectAsync(async () =>
            await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Manual }));

        Assert.Equal(("ILLEGAL_TRANSITION", "CANCELLED"), (refused.Reason, refused.Metadata["state"]));
    }
}
