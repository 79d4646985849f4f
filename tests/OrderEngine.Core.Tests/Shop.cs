// A core with a small catalog and short words for commands, for tests that are written by hand. One thread.
// SKUs 1 to 4; locations 1 "a" (priority 1), 2 "b" (priority 2), 3 "c" (priority 3); channel 1 from everywhere by priority, channel 2 from
// everywhere by most available, channel 3 from location 1 only; customers 1, 2, 3 of tier 0, 1, 9.

using System.Text;
using OrderEngine.Core.Events;

namespace OrderEngine.Core.Tests;

internal sealed class Shop
{
    public const long Second = 1_000_000, Hour = 3600 * Second, Day = 24 * Hour, Start = 1_700_000_000_000_000;
    private ulong _ids;

    public Shop()
    {
        for (var i = 1; i <= 4; i++) Ok(new DefineSku { Id = Bytes($"sku-{i}"), Role = Role.Manager });
        for (var i = 1; i <= 3; i++) Ok(new DefineLocation { Id = Bytes(((char)('a' + i - 1)).ToString()), Priority = i, Role = Role.Manager });
        Ok(Channel(1, []));
        Ok(Channel(2, [], SourcingRule.MostAvailable));
        Ok(Channel(3, [1]));
        int[] tiers = [0, 1, 9];
        for (var i = 1; i <= 3; i++) Ok(new DefineCustomer { Id = Bytes($"customer-{i}"), Tier = tiers[i - 1], Role = Role.Channel });
    }

    public OrderCore Core { get; } = new();

    public EventBuffer Events { get; } = new();

    /// <summary>The clock.</summary>
    public long Now { get; set; } = Start;

    public Decision Do(Command command) => Core.Execute(command, Now, Events);

    /// <summary>Does it and insists that it is done.</summary>
    public Decision Ok(Command command)
    {
        var decision = Do(command);
        return decision.Outcome == Outcome.Ok ? decision : throw new InvalidOperationException($"{command.Kind}: {decision.Outcome}");
    }

    /// <summary>A core that has been given every event so far, as after a restart. For tests that never cut <see cref="Events"/>.</summary>
    public OrderCore Restarted()
    {
        var core = new OrderCore();
        var events = new EventEnumerator(Events.Written);
        while (events.MoveNext()) core.Replay(events.Current);
        core.Seal();
        return core;
    }

    /// <summary>Turns until nothing is left to do.</summary>
    public void Turn()
    {
        Turns.All(Core, Now, Events);
    }

    /// <summary>Lets time pass; says which events it brings.</summary>
    public List<string> Pass(long time)
    {
        var start = Events.Length;
        Now += time;
        Turn();
        var told = new List<string>();
        var events = new EventEnumerator(Events.Written[start..]);
        while (events.MoveNext()) told.Add(new EventView(events.Current).Kind.ToString());
        return told;
    }

    public DefineChannel Channel(int number, int[] allowed, SourcingRule sourcing = SourcingRule.Priority) =>
        new() { Id = Bytes($"channel-{number}"), AllowedLocations = allowed, Sourcing = sourcing, Role = Role.Manager };

    public ReceiveStock Receive(int location, params (int Sku, int Units)[] items) =>
        new() { Location = location, Items = [.. items.Select(i => new SkuQuantity(i.Sku, i.Units))], Role = Role.Warehouse, RequestKey = Key(), BodyDigest = 1 };

    public SubmitOrder Order(AllocationPolicy policy, params (int Sku, int Units)[] lines) => Order(1, 0, policy, lines);

    public SubmitOrder Order(int channel, int customer, AllocationPolicy policy, params (int Sku, int Units)[] lines) => new()
    {
        Channel = channel, Customer = customer, ExternalId = Bytes($"x{++_ids}"), Policy = policy, CurrencyCode = Currency.Pack("GBP"u8),
        Lines = [.. lines.Select(l => new DraftLine(l.Sku, l.Units, 100))], Role = Role.Channel, RequestKey = Key(), BodyDigest = 1,
    };

    /// <summary>An order that waits for what is missing and ships complete.</summary>
    public SubmitOrder Whole(params (int Sku, int Units)[] lines) => new()
    {
        Channel = 1, ExternalId = Bytes($"x{++_ids}"), Policy = AllocationPolicy.PartialBackorder, Shipping = ShippingPolicy.Complete, CurrencyCode = Currency.Pack("GBP"u8),
        Lines = [.. lines.Select(l => new DraftLine(l.Sku, l.Units, 100))], Role = Role.Channel, RequestKey = Key(), BodyDigest = 1,
    };

    public CreateReservation Hold(int channel, int customer, long ttl, params (int Sku, int Units)[] items) => new()
    {
        Channel = channel, Customer = customer, TtlMicros = ttl, Items = [.. items.Select(i => new SkuQuantity(i.Sku, i.Units))], Role = Role.Channel, RequestKey = Key(), BodyDigest = 1,
    };

    public UInt128 Key() => ++_ids;

    /// <summary>A line's allocations as "location:reserved/released/shipped ...".</summary>
    public string Allocations(long order, int line = 1)
    {
        var text = new StringBuilder();
        foreach (var a in Core.Reader.Order(order, Core.Sequence).Allocations)
            if (a.Line == line) text.Append($"{(text.Length == 0 ? "" : " ")}{(char)('a' + a.Location - 1)}:{a.Reserved}/{a.Released}/{a.Shipped}");
        return text.ToString();
    }

    public State.LineRow Line(long order, int line = 1) => Core.Reader.Order(order, Core.Sequence).Lines[line - 1];

    public State.OrderHead Head(long order) => Core.Reader.Order(order, Core.Sequence).Head;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
