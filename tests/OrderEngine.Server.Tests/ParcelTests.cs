// Parcels over the wire: short picks, recalls, delivery and loss of one parcel, and what GetOrder, TrackOrder and the history show of them.

using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ParcelTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Each_parcel_of_an_order_has_its_units_its_carrier_and_its_state()
    {
        var order = await OrderReleasedAsync(6);
        await ShipAsync(order, 2, "T1");
        await ShipAsync(order, 3, "T2");
        await ShipAsync(order, 1, "T3");
        await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 2, Lines = { Units(1) } });
        await _server.Fulfillment.RecordLossAsync(new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 1 });
        await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 3 });

        var read = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order });
        var tracked = await _server.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = order });
        Assert.Equal(
            [("T1", 2, ParcelState.Lost, 0, 2), ("T2", 3, ParcelState.PartiallyDelivered, 1, 0), ("T3", 1, ParcelState.Delivered, 1, 0)],
            read.Parcels.Select(p => (p.TrackingNumber, p.Lines.Sum(l => l.Quantity), p.State, p.Delivered, p.Lost)));
        Assert.Equal(read.Parcels, tracked.Parcels);
        Assert.Equal((6, 2, 2), (read.Lines[0].Shipped, read.Lines[0].Delivered, read.Lines[0].Lost));
        Assert.Equal((2, 2), (tracked.Lines[0].Delivered, tracked.Lines[0].Lost));

        var refusal = await Refusal.ExpectAsync(async () => await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 4 }));
        Assert.Equal("PARCEL_NOT_FOUND", refusal.Reason);
        refusal = await Refusal.ExpectAsync(async () => await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 1 }));
        Assert.Equal("QUANTITY_NOT_AVAILABLE", refusal.Reason);
    }

    [Fact]
    public async Task An_order_of_which_everything_is_lost_is_lost()
    {
        var order = await OrderReleasedAsync(2);
        await ShipAsync(order, 2, "T1");
        var answer = await _server.Fulfillment.RecordLossAsync(new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order });
        Assert.Equal(OrderState.Lost, answer.State);
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events;
        Assert.Equal((OrderState.Lost, 2), (events[^1].StateAfter, events[^1].LossRecorded.Lines[0].Quantity));
        Assert.Equal(events[^1].Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture), answer.Etag);
    }

    [Fact]
    public async Task What_is_not_found_waits_again_and_the_stock_is_corrected()
    {
        var order = await OrderReleasedAsync(5);
        var before = (await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A" })).Levels[0];
        // Nothing else is for sale anywhere, so that what is missing stays missing.
        foreach (var location in new[] { "L1", "L2" })
            await _server.Inventory.AdjustStockAsync(new AdjustStockRequest { RequestId = Shop.NewId(), LocationId = location, SkuId = "A", UnavailableDelta = location == "L1" ? before.Sellable : 1_000_000 });
        var answer = await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = order, Carrier = "DPD", TrackingNumber = "T1", ShortPicks = { new ShortPick { LineNumber = 1, LocationId = "L1", Quantity = 2, Cause = ShortPickCause.Missing } },
        });
        Assert.Equal(OrderState.PartiallyShipped, answer.State);
        var line = (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order })).Lines[0];
        var after = (await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A" })).Levels[0];
        Assert.Equal((3, 2, 0), (line.Shipped, line.Backordered, line.Released));
        Assert.Equal((before.OnHand - 5, before.Committed - 5), (after.OnHand, after.Committed));
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events;
        Assert.Equal(2, events.Single(e => e.ChangeCase == OrderEvent.ChangeOneofCase.PickFellShort).PickFellShort.Lines[0].Quantity);
    }

    [Fact]
    public async Task Released_units_can_be_cancelled_once_the_warehouse_has_given_them_back()
    {
        var order = await OrderReleasedAsync(4);
        var refusal = await Refusal.ExpectAsync(async () => await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order }));
        Assert.Equal("RELEASED_TO_WAREHOUSE", refusal.Reason);
        var answer = await _server.Fulfillment.RecallShipmentAsync(new RecallShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        Assert.Equal(OrderState.Ready, answer.State);
        Assert.Equal(OrderState.Cancelled, (await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order })).State);
    }

    [Fact]
    public async Task A_stream_of_reports_carries_recalls_and_losses()
    {
        var order = await OrderReleasedAsync(3);
        using var call = _server.Fulfillment.StreamStatusReports();
        await call.RequestStream.WriteAsync(new StreamStatusReportsRequest
        {
            Reports =
            {
                new StatusReport { ClientSeq = 1, Recall = new RecallShipmentRequest { RequestId = Shop.NewId(), OrderId = order, Lines = { At(1) } } },
                new StatusReport { ClientSeq = 2, Ship = new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order } },
                new StatusReport { ClientSeq = 3, Lose = new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order, ParcelNumber = 1 } },
            },
        });
        await call.RequestStream.CompleteAsync();
        var results = new List<StatusReportResult>();
        while (await call.ResponseStream.MoveNext(default)) results.AddRange(call.ResponseStream.Current.Results);
        Assert.Equal([OrderState.Fulfilling, OrderState.PartiallyShipped, OrderState.PartiallyShipped], results.Select(r => r.Accepted.State));
    }

    private async Task<string> OrderReleasedAsync(int units)
    {
        var order = (await Shop.OrderAsync(_server, quantity: units)).OrderId;
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        return order;
    }

    private async Task ShipAsync(string order, int units, string tracking) => await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest
    {
        RequestId = Shop.NewId(), OrderId = order, Lines = { At(units) }, Carrier = "DPD", TrackingNumber = tracking,
    });

    private static LineAtLocation At(int units) => new() { LineNumber = 1, LocationId = "L1", Quantity = units };

    private static LineQuantity Units(int units) => new() { LineNumber = 1, Quantity = units };
}
