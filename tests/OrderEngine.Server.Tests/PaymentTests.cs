// Proves, through a real socket: prepaid orders wait for their money and go on once covered; money is recorded in every state, and what it did
// is told; references count once; settlements add up.

using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class PaymentTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(_time));
        await Shop.OpenAsync(_server);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    // Worth 250 a unit.
    private async Task<SubmitOrderResponse> SubmitAsync(PaymentTerms terms, int quantity = 2)
    {
        var request = Shop.Submit(quantity: quantity);
        request.Order.PaymentTerms = terms;
        return await _server.Orders.SubmitOrderAsync(request);
    }

    private static RecordPaymentRequest Payment(string order, long amount, string? reference = null) =>
        new() { RequestId = Shop.NewId(), OrderId = order, AmountMinor = amount, CurrencyCode = "GBP", Reference = reference ?? Shop.NewId("p") };

    private static RecordRefundRequest Refund(string order, long amount) =>
        new() { RequestId = Shop.NewId(), OrderId = order, AmountMinor = amount, CurrencyCode = "GBP", Reference = Shop.NewId("f") };

    private async Task<Settlement> SettlementAsync(string order) => await _server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = order });

    [Fact]
    public async Task A_prepaid_order_waits_until_it_is_covered()
    {
        var order = await SubmitAsync(PaymentTerms.Prepaid);
        Assert.Equal(OrderState.AwaitingPayment, order.State);
        Assert.NotNull((await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).StateDeadline);
        var first = await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 200));
        Assert.Equal((OrderState.AwaitingPayment, PaymentEffect.Partial, 300), (first.State, first.Effect, first.Balance.OutstandingMinor));
        var second = Payment(order.OrderId, 300);
        var covered = await _server.Orders.RecordPaymentAsync(second);
        Assert.Equal((OrderState.Ready, PaymentEffect.Covered, PaymentState.Paid), (covered.State, covered.Effect, covered.Balance.State));
        var replayed = await _server.Orders.RecordPaymentAsync(second);
        Assert.True(replayed.Replayed);
        replayed.Replayed = false;
        Assert.Equal(covered, replayed);

        var over = await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 50));
        Assert.Equal((PaymentEffect.Overpaid, 50, PaymentState.RefundDue), (over.Effect, over.Balance.RefundDueMinor, over.Balance.State));
        var back = await _server.Orders.RecordRefundAsync(Refund(order.OrderId, 50));
        Assert.Equal((OrderState.Ready, PaymentState.Paid, 0), (back.State, back.Balance.State, back.Balance.RefundDueMinor));

        var shown = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        Assert.Equal((PaymentState.Paid, 550, 50, 500), (shown.PaymentState, shown.PaidMinor, shown.RefundedMinor, shown.PayableMinor));
        var settlement = await SettlementAsync(order.OrderId);
        Assert.Equal([200, 300, 50, -50], settlement.Movements.Select(movement => movement.AmountMinor));
        Assert.False(settlement.Settled);
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal(PaymentEffect.Covered, events[2].PaymentRecorded.Effect);
        Assert.Equal((ExceptionKind.RefundDue, 50), (events[4].ExceptionRaised.Kind, events[4].ExceptionRaised.Quantity));
        Assert.Equal(50, events[5].RefundRecorded.AmountMinor);
        Assert.Equal((events[4].ExceptionRaised.ExceptionId, "refunded"), (events[6].ExceptionResolved.ExceptionId, events[6].ExceptionResolved.Resolution));
    }

    [Fact]
    public async Task A_reference_counts_once_and_a_refund_takes_no_more_than_was_paid()
    {
        var order = await SubmitAsync(PaymentTerms.Credit);
        await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 100, "bank-1"));
        Assert.Equal("PAYMENT_REFERENCE_TAKEN", (await Refusal.ExpectAsync(async () => await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 100, "bank-1")))).Reason);
        Assert.Equal("REFUND_EXCEEDS_PAID", (await Refusal.ExpectAsync(async () => await _server.Orders.RecordRefundAsync(Refund(order.OrderId, 101)))).Reason);
        var dollars = Payment(order.OrderId, 1);
        dollars.CurrencyCode = "USD";
        Assert.Equal("PAYMENT_CURRENCY_MISMATCH", (await Refusal.ExpectAsync(async () => await _server.Orders.RecordPaymentAsync(dollars))).Reason);
        Assert.Equal(100, (await SettlementAsync(order.OrderId)).Balance.PaidMinor);
    }

    [Fact]
    public async Task Money_for_a_cancelled_order_is_to_be_refunded()
    {
        var order = await SubmitAsync(PaymentTerms.Prepaid);
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var late = await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 500));
        Assert.Equal((OrderState.Cancelled, PaymentEffect.RefundDue, 500), (late.State, late.Effect, late.Balance.RefundDueMinor));
        var back = await _server.Orders.RecordRefundAsync(Refund(order.OrderId, 500));
        Assert.Equal(PaymentState.Refunded, back.Balance.State);
    }

    [Fact]
    public async Task A_delivered_order_that_is_paid_is_settled_and_due_follows_its_terms()
    {
        var order = await SubmitAsync(PaymentTerms.CashOnDelivery);
        Assert.Equal(0, (await SettlementAsync(order.OrderId)).DueNowMinor);
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var open = await SettlementAsync(order.OrderId);
        Assert.Equal((500, 500, 500, false), (open.DeliveredMinor, open.DueNowMinor, open.Balance.OutstandingMinor, open.Settled));
        Assert.Equal(PaymentState.Settled, (await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 500))).Balance.State);
        Assert.True((await SettlementAsync(order.OrderId)).Settled);
    }

    [Fact]
    public async Task Instalments_fall_due_on_their_dates()
    {
        var request = Shop.Submit(quantity: 2);
        var now = _time.GetUtcNow();
        request.Order.PaymentTerms = PaymentTerms.Instalment;
        request.Order.Instalments.Add(new Instalment { AmountMinor = 100, DueTime = Timestamp.FromDateTimeOffset(now.AddDays(-1)) });
        request.Order.Instalments.Add(new Instalment { AmountMinor = 400, DueTime = Timestamp.FromDateTimeOffset(now.AddDays(30)) });
        var order = await _server.Orders.SubmitOrderAsync(request);
        Assert.Equal(OrderState.Ready, order.State);
        var settlement = await SettlementAsync(order.OrderId);
        Assert.Equal((100, 500), (settlement.DueNowMinor, settlement.Balance.OutstandingMinor));
        Assert.Equal(request.Order.Instalments, settlement.Instalments);
        await _server.Orders.RecordPaymentAsync(Payment(order.OrderId, 100));
        Assert.Equal(0, (await SettlementAsync(order.OrderId)).DueNowMinor);
    }
}
