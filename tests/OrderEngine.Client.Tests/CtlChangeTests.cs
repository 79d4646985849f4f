// orderctl's changes of accepted orders: what is sent for what is typed, and what is shown of the answer.
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
}
