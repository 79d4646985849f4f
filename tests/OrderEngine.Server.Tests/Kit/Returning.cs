// What tests of returns begin with: an order that was delivered, a return of it.

using OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Tests.Kit;

internal static class Returning
{
    /// <summary>Submits, releases, ships and delivers an order; its id.</summary>
    public static Task<string> DeliverAsync(TestServer server, OrderDraft? draft = null) => DeliverAsync(server.Orders, server.Fulfillment, draft ?? Shop.Draft(quantity: 5));

    public static async Task<string> DeliverAsync(OrderService.OrderServiceClient orders, FulfillmentService.FulfillmentServiceClient fulfillment, OrderDraft draft)
    {
        var order = await orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = draft });
        await fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        await fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        await fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        return order.OrderId;
    }

    public static RequestReturnRequest Request(string order, int line, int quantity) => new()
    {
        RequestId = Shop.NewId(), OrderId = order, Lines = { new LineQuantity { LineNumber = line, Quantity = quantity } },
    };

    public static ApproveReturnRequest Approve(string made) => new() { RequestId = Shop.NewId(), ReturnId = made };

    public static ReceiveReturnRequest Receive(string made, params (int Line, int Quantity, Disposition Disposition)[] units) => new()
    {
        RequestId = Shop.NewId(), ReturnId = made, LocationId = "L1",
        Units = { units.Select(one => new ReceivedUnits { LineNumber = one.Line, Quantity = one.Quantity, Disposition = one.Disposition }) },
    };

    public static CloseReturnRequest Close(string made) => new() { RequestId = Shop.NewId(), ReturnId = made };
}
