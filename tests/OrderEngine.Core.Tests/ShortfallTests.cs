// Proves: every supply request that opens raises one SHORTFALL, which is resolved when it closes; also across restarts, snapshots and with journals of before.

using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ShortfallTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void A_request_raises_it_once_and_resolves_it_when_it_closes()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        Assert.Equal(["ExceptionRaised", "SupplyRequested"], _shop.Pass(0));
        var raised = Exception(1);
        Assert.Equal((ExceptionKind.Shortfall, Grade.Medium, Role.Warehouse, 0L, 1, 1, 5L), (raised.Kind, raised.Grade, raised.Owner, raised.Order, raised.Sku, raised.Location, raised.Quantity));

        // It grows and shrinks without another one.
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Assert.Equal(["SupplyRequested"], _shop.Pass(Shop.Hour));
        _shop.Ok(Announcement(4));
        Assert.DoesNotContain("ExceptionResolved", _shop.Pass(0));
        Assert.Equal((1L, 0L), (_shop.Core.Reader.LastException, Exception(1).ResolvedAt));

        _shop.Ok(Announcement(3));
        Assert.Equal(["ExceptionResolved", "SupplyRequested"], _shop.Pass(0)[..2]);
        Assert.Equal((_shop.Now, Role.None, "supply request closed"), (Exception(1).ResolvedAt, Exception(1).ResolvedBy, Resolution(1)));

        // A new need is another one; of another SKU, too.
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1), (2, 1)));
        _shop.Turn();
        Assert.Equal((3L, 1, 2), (_shop.Core.Reader.LastException, Exception(2).Sku, Exception(3).Sku));
        Check(_shop.Core);
    }

    [Theory]
    [InlineData(2, Grade.Medium)]
    [InlineData(3, Grade.High)]
    public void It_is_graver_when_a_customer_of_a_high_tier_is_served_first(int customer, Grade grade)
    {
        _shop.Ok(_shop.Order(1, 1, AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Ok(_shop.Order(1, customer, AllocationPolicy.PartialBackorder, (1, 1)));
        _shop.Turn();
        Assert.Equal((1L, grade), (_shop.Core.Reader.LastException, Exception(1).Grade));
    }

    [Fact]
    public void One_that_somebody_resolved_stays_resolved()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Turn();
        _shop.Ok(new ResolveException { Exception = 1, Resolution = Shop.Bytes("bought"), Role = Role.Warehouse });
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Assert.Equal(["SupplyRequested"], _shop.Pass(0));
        _shop.Ok(Announcement(7));
        Assert.DoesNotContain("ExceptionResolved", _shop.Pass(0));
        Assert.Equal((1L, "bought"), (_shop.Core.Reader.LastException, Resolution(1)));
        Check(_shop.Core);
    }

    [Fact]
    public void A_restart_and_a_snapshot_know_which_one_is_open()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (2, 5)));
        _shop.Turn();
        var (blocks, summary) = SnapshotSupport.Take(_shop.Core);
        OrderCore[] others = [_shop.Restarted(), SnapshotSupport.Load(blocks, summary)];
        var start = _shop.Events.Length;
        _shop.Ok(Announcement(5));
        _shop.Turn();
        Assert.Equal((true, false), (Exception(1).ResolvedAt != 0, Exception(2).ResolvedAt != 0));
        foreach (var other in others)
        {
            var events = new EventBuffer();
            Assert.Equal(Outcome.Ok, other.Execute(Announcement(5), _shop.Now, events).Outcome);
            Turns.All(other, _shop.Now, events);
            Assert.Equal(_shop.Events.Written[start..].ToArray(), events.Written.ToArray());
            Check(other);
        }
    }

    [Fact]
    public void A_request_opened_before_it_was_raised_closes_without_it()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Turn();
        // The journal as it was written then.
        var core = new OrderCore();
        foreach (var e in Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written).Events_.Where(e => e.ExceptionRaised is null))
        {
            e.Sequence = (ulong)core.Sequence + 1;
            core.Replay(e.ToByteArray());
        }
        core.Seal();
        Check(core);
        Assert.Equal((1L, 0L), (core.Reader.LastSupplyRequest, core.Reader.LastException));

        var events = new EventBuffer();
        core.Execute(Announcement(5), _shop.Now, events);
        Turns.All(core, _shop.Now, events);
        Assert.True(core.Reader.SupplyRequest(1, core.Sequence, out var request));
        Assert.Equal((0L, 0L), (request.Quantity, core.Reader.LastException));
        core.Execute(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)), _shop.Now, events);
        Turns.All(core, _shop.Now, events);
        Assert.Equal((2L, 1L), (core.Reader.LastSupplyRequest, core.Reader.LastException));
        Check(core);
    }

    private static void Check(OrderCore core)
    {
        Assert.Empty(core.CheckIndexes());
        using (core.Reader.Enter()) Assert.Empty(Invariants.Check(core.Reader, core.Sequence).Violations);
    }

    private static AnnounceIncoming Announcement(int units) => new()
    {
        Sku = 1, Location = 1, Supply = SupplyKind.Purchase, Quantity = units, ExpectedAt = Shop.Start + Shop.Day, Request = 1, Role = Role.Warehouse,
    };

    private ExceptionHead Exception(long number) => _shop.Core.Reader.Exception(number, _shop.Core.Sequence).Head;

    private string Resolution(long number) => System.Text.Encoding.UTF8.GetString(_shop.Core.Reader.Exception(number, _shop.Core.Sequence).Resolution);
}
