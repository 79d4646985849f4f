// Promise 4: holds end. Whatever becomes of them, every reservation is committed, released or expired once its time is over, its units are free
// again, and it ends once. Also over a wire and a restart: OrderEngine.Engine.Tests, CommitTests and SnapshotTests.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise04
{
    [Fact]
    public void Every_hold_ends_and_gives_its_units_back()
    {
        var shop = new Shop();
        var random = new Random(4);
        shop.Ok(shop.Receive(1, (1, 5_000)));
        const int Holds = 2_500;
        for (var i = 0; i < Holds; i++)
        {
            shop.Now += random.Next(1_000);
            shop.Ok(shop.Hold(1, 0, (1 + random.Next(600)) * Shop.Second, (1, 1 + random.Next(2))));
            var number = shop.Core.Reader.LastReservation;
            if (i % 5 == 0) shop.Ok(new ReleaseReservation { Reservation = number, Role = Role.Channel });
            if (i % 7 == 0) shop.Do(new ExtendReservation { Reservation = number - random.Next(3) % number, TtlMicros = 900 * Shop.Second, Role = Role.Channel });
        }
        shop.Now += 901 * Shop.Second;
        // At most so many a turn, and all of them in the end.
        var turns = 0;
        const int Enough = Holds / Limits.TimersPerTurn + 1;
        while (turns <= Enough && shop.Core.Turn(shop.Now, shop.Events)) turns++;
        Assert.InRange(turns, 1, Enough);
        Assert.Equal((0, 0, 5_000), (shop.Core.Seal().OpenReservations, shop.Core.Seal().Held, shop.Core.Seal().OnHand));
        Assert.Equal(long.MaxValue, shop.Core.NextDue);
        for (long number = 1; number <= Holds; number++)
            Assert.Contains(shop.Core.Reader.Reservation(number, shop.Core.Sequence).Head.State, new[] { ReservationState.Released, ReservationState.Expired });
        Assert.Equal(Outcome.ReservationNotHeld, shop.Do(new ReleaseReservation { Reservation = 2, Role = Role.Channel, RequestKey = shop.Key(), BodyDigest = 1 }).Outcome);
        using (shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(shop.Core.Reader, shop.Core.Sequence).Violations);
        Assert.Empty(shop.Core.CheckIndexes());
    }
}
