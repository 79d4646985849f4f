// orderctl's changes of accepted orders: what is sent for what is typed, and what is shown of the answer.
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlChangeTests
{
    [Fact]
    public async Task An_order_is_held_and_released()
    {
        PlaceHoldRequest? held = null;
        ReleaseHoldRequest? released = null;
        var services = new FakeServices();
        services.Orders.OnHold = request =>
        {
            held = request;
            return new HoldResponse { OrderId = "o1", Sequence = 7, State = OrderState.Ready, Open = { HoldKind.Risk, HoldKind.Address } };
        };
        services.Orders.OnUnhold = request =>
        {
            released = request;
            return new HoldResponse { OrderId = "o1", Sequence = 8, State = OrderState.Ready };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var hold = await Ctl.RunAsync(engine.Address, "order", "hold", "o1", "--kind", "address", "--reason", "NO_SUCH_STREET", "--etag", "5", "--request-id", "r1");
        var unhold = await Ctl.RunAsync(engine.Address, "order", "unhold", "o1", "--kind", "risk", "--request-id", "r2");

        Assert.Equal((0, 0), (hold.Code, unhold.Code));
        Assert.Equal(new PlaceHoldRequest { RequestId = "r1", OrderId = "o1", Etag = "5", Reason = "NO_SUCH_STREET", Kind = HoldKind.Address }, held);
        Assert.Equal(new ReleaseHoldRequest { RequestId = "r2", OrderId = "o1", Kind = HoldKind.Risk }, released);
        Assert.Contains("Held: RISK, ADDRESS.", hold.Out, StringComparison.Ordinal);
        Assert.Contains("No hold is open.", unhold.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "order", "hold", "o1")).Code);
    }

    [Fact]
    public async Task An_amendment_names_what_was_typed_and_nothing_else()
    {
        var sent = new List<AmendOrderRequest>();
        var services = new FakeServices();
        services.Orders.OnAmend = request =>
        {
            sent.Add(request);
            return new AmendOrderResponse
            {
                OrderId = "o1", Sequence = 9, State = OrderState.Ready,
                Amended = new OrderAmended { ChangedFields = { "lines" }, Lines = { new AmendedLine { LineNumber = 1, SkuId = "MUG", QuantityBefore = 5, Quantity = 3 } } },
            };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var lines = await Ctl.RunAsync(engine.Address, "order", "amend", "o1", "--line", "1=3", "--line", "2=@199", "--add", "TRAY=1@1295", "--request-id", "r1");
        var address = await Ctl.RunAsync(engine.Address, "order", "amend", "o1", "--city", "York", "--requested-time", "none", "--role", "customer", "--request-id", "r2");

        Assert.Equal((0, 0), (lines.Code, address.Code));
        Assert.Equal(new AmendOrderRequest
        {
            RequestId = "r1", OrderId = "o1", UpdateMask = new FieldMask { Paths = { "lines" } },
            Order = new OrderAmendment
            {
                Lines =
                {
                    new LineAmendment { LineNumber = 1, Quantity = 3 }, new LineAmendment { LineNumber = 2, UnitPriceMinor = 199 },
                    new LineAmendment { SkuId = "TRAY", Quantity = 1, UnitPriceMinor = 1295 },
                },
            },
        }, sent[0]);
        Assert.Equal(new AmendOrderRequest
        {
            RequestId = "r2", OrderId = "o1", Actor = new Actor { Role = Role.Customer }, UpdateMask = new FieldMask { Paths = { "delivery.city", "requested_time" } },
            Order = new OrderAmendment { Delivery = new PersonalDetails { City = "York" } },
        }, sent[1]);
        Assert.Contains("Amended: lines.", lines.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "order", "amend", "o1")).Code);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "order", "amend", "o1", "--line", "1=")).Code);
    }
}
