// Promise 2: the same request id yields the same result, across restarts; the same id with another body is refused; (channel, external
// order id) is unique for ever. With the wire in between: OrderEngine.Server.Tests.LifeTests.
// A_server_that_starts_again_has_the_same_state_and_replays_the_same_answers; with kills in between: OrderEngine.System.Tests.KillTests.

using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise02
{
    [Fact]
    public void The_same_request_id_yields_the_same_result_across_restarts_and_with_another_body_none()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 5)));
        var (accepted, refused) = (shop.Order(AllocationPolicy.AllOrNothing, (1, 5)), shop.Order(AllocationPolicy.AllOrNothing, (1, 6)));
        Command[] requests =
        [
            accepted, refused, new PlaceHold { Order = 1, Hold = OrderHolds.Risk, Role = Role.Reviewer, RequestKey = shop.Key(), BodyDigest = 1 },
            new ReleaseShipment { Order = 1, Role = Role.Warehouse, RequestKey = shop.Key(), BodyDigest = 1 },
            new AmendOrder(CommandKind.AmendLines) { Order = 1, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, 2, -1)], Role = Role.Support, RequestKey = shop.Key(), BodyDigest = 1 },
        ];
        var first = requests.Select(request =>
        {
            var decision = shop.Do(request);
            return (decision.Outcome, Bytes: shop.Events.Written.Slice(decision.Offset, decision.Length).ToArray());
        }).ToArray();
        Assert.Equal([Outcome.Ok, Outcome.OutOfStock, Outcome.Ok, Outcome.OrderOnHold, Outcome.Ok], first.Select(answer => answer.Outcome));

        // Now five units are free again, the hold is gone: every one would be answered otherwise if it were decided anew.
        shop.Ok(new ReleaseHold { Order = 1, Hold = OrderHolds.Risk, Role = Role.Reviewer });
        shop.Ok(shop.Receive(1, (1, 50)));
        foreach (var core in new[] { shop.Core, shop.Restarted() })
        {
            var sequence = core.Sequence;
            for (var i = 0; i < requests.Length; i++)
            {
                var again = core.Execute(requests[i], shop.Now, shop.Events);
                Assert.Equal((first[i].Outcome, true), (again.Outcome, again.Replayed));
                Assert.Equal(first[i].Bytes, again.Recorded);
            }
            var other = new PlaceHold { Order = 1, Hold = OrderHolds.Manual, Role = Role.Reviewer, RequestKey = requests[2].RequestKey, BodyDigest = 2 };
            Assert.Equal(Outcome.RequestIdReused, core.Execute(other, shop.Now, shop.Events).Outcome);
            Assert.Equal(sequence, core.Sequence);
        }
    }

    [Fact]
    public void An_external_id_is_unique_in_its_channel_for_ever()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 50)));
        var order = shop.Order(AllocationPolicy.AllOrNothing, (1, 1));
        shop.Ok(order);
        shop.Ok(new CancelOrder { Order = 1, Role = Role.Customer });
        // Long after the request id is forgotten, and with the order cancelled.
        shop.Now += 40 * Shop.Day;
        shop.Turn();
        foreach (var core in new[] { shop.Core, shop.Restarted() })
        {
            Assert.Equal(Outcome.ExternalIdTaken, core.Execute(Again(1), shop.Now, shop.Events).Outcome);
            Assert.Equal(Outcome.Ok, core.Execute(Again(2), shop.Now, shop.Events).Outcome);
        }

        SubmitOrder Again(int channel) => new()
        {
            Channel = channel, ExternalId = order.ExternalId, CurrencyCode = order.CurrencyCode, Lines = order.Lines, Role = Role.Channel, RequestKey = shop.Key(), BodyDigest = 1,
        };
    }
}
