// Proves: when several reasons apply, the first in the order of errors.proto is given.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class PrecedenceTests
{
    [Fact]
    public void A_reservation_that_does_not_exist_is_said_before_an_external_id_that_is_taken()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 5)));
        var first = shop.Order(AllocationPolicy.AllOrNothing, (1, 1));
        shop.Ok(first);
        var commit = new SubmitOrder(CommandKind.CommitReservation)
        {
            Channel = 1, ExternalId = first.ExternalId, CurrencyCode = first.CurrencyCode, Lines = first.Lines, Reservation = 77, Role = Role.Channel, RequestKey = shop.Key(), BodyDigest = 1,
        };
        Assert.Equal(Outcome.ReservationNotFound, shop.Do(commit).Outcome);
    }
}
