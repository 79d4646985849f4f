// What the tests of snapshots share: taking one, loading one, comparing two cores whole. One thread.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Snapshots;

internal static class SnapshotSupport
{
    /// <summary>A snapshot of a core that is sealed, as its blocks.</summary>
    public static (List<byte[]> Blocks, StateSummary Summary) Take(OrderCore core) => Take(core, core.Seal());

    public static (List<byte[]> Blocks, StateSummary Summary) Take(OrderCore core, StateSummary published)
    {
        var blocks = new List<byte[]>();
        var summary = SnapshotWriter.Write(core.Reader, () => published, block => blocks.Add(block.ToArray()));
        return (blocks, summary);
    }

    public static OrderCore Load(IEnumerable<byte[]> blocks, StateSummary? expected = null)
    {
        var core = new OrderCore();
        var loader = new SnapshotLoader(core);
        foreach (var block in blocks) loader.Add(block);
        var summary = loader.Finish();
        if (expected is not null) Assert.Equal(expected, summary);
        return core;
    }

    /// <summary>Both cores show the same of everything at a sequence, and what only the writer sees holds.</summary>
    public static void Same(OrderCore expected, OrderCore actual, long at)
    {
        var (a, b) = (expected.Reader, actual.Reader);
        Catalog(a.Skus.Count, a.Skus.Text, b.Skus.Text, n => Row(a.Sku(n, at, out var v), v), n => Row(b.Sku(n, at, out var v), v));
        Catalog(a.Locations.Count, a.Locations.Text, b.Locations.Text, n => Row(a.Location(n, at, out var v), v), n => Row(b.Location(n, at, out var v), v));
        Catalog(a.Channels.Count, a.Channels.Text, b.Channels.Text, n => Row(a.Channel(n, at, out var v), v), n => Row(b.Channel(n, at, out var v), v));
        Catalog(a.Customers.Count, a.Customers.Text, b.Customers.Text, n => Row(a.Customer(n, at, out var v), v), n => Row(b.Customer(n, at, out var v), v));
        for (var customer = 1; customer <= a.Customers.Count; customer++) Assert.Equal(a.CustomerKey(customer), b.CustomerKey(customer));
        for (var sku = 1; sku <= a.Skus.Count; sku++)
        {
            Assert.Equal(a.Backordered(sku, at), b.Backordered(sku, at));
            Assert.Equal(Slots(a, sku, at), Slots(b, sku, at));
        }
        Assert.Equal((a.LastOrder, a.LastReservation, a.LastStockSlot), (b.LastOrder, b.LastReservation, b.LastStockSlot));
        for (long number = 1; number <= a.LastOrder; number++) SameOrder(a, b, number, at);
        Assert.Equal(a.LastReturn, b.LastReturn);
        for (long number = 1; number <= a.LastReturn; number++)
        {
            var x = a.Return(number, at);
            var y = b.Return(number, at);
            Assert.Equal(Bytes(in x.Head), Bytes(in y.Head));
            Assert.True(MemoryMarshal.AsBytes(x.Lines).SequenceEqual(MemoryMarshal.AsBytes(y.Lines)));
            Assert.True(MemoryMarshal.AsBytes(x.Replacements).SequenceEqual(MemoryMarshal.AsBytes(y.Replacements)));
            Assert.True(x.ExternalId.SequenceEqual(y.ExternalId));
        }
        for (long number = 1; number <= a.LastReservation; number++)
        {
            var x = a.Reservation(number, at);
            var y = b.Reservation(number, at);
            Assert.Equal(Bytes(in x.Head), Bytes(in y.Head));
            Assert.True(MemoryMarshal.AsBytes(x.Items).SequenceEqual(MemoryMarshal.AsBytes(y.Items)));
        }
        Assert.Equal(a.LastIncoming, b.LastIncoming);
        for (long number = 1; number <= a.LastIncoming; number++)
        {
            Assert.Equal(Bytes(in a.Incoming(number, at).Head), Bytes(in b.Incoming(number, at).Head));
            Assert.True(a.Incoming(number, at).Reference.SequenceEqual(b.Incoming(number, at).Reference));
        }
        Assert.Equal(expected.NextDue, actual.NextDue);
        Assert.Empty(actual.CheckIndexes());
    }

    private static void SameOrder(StateReader a, StateReader b, long number, long at)
    {
        Assert.Equal(a.AfterSale(number, at), b.AfterSale(number, at));
        var x = a.Order(number, at);
        var y = b.Order(number, at);
        Assert.Equal(Bytes(in x.Head), Bytes(in y.Head));
        Assert.True(MemoryMarshal.AsBytes(x.Lines).SequenceEqual(MemoryMarshal.AsBytes(y.Lines)));
        Assert.True(MemoryMarshal.AsBytes(x.Allocations).SequenceEqual(MemoryMarshal.AsBytes(y.Allocations)));
        Assert.True(MemoryMarshal.AsBytes(x.ParcelLines).SequenceEqual(MemoryMarshal.AsBytes(y.ParcelLines)));
        Assert.Equal(number, b.FindOrder(x.Head.Channel, a.ExternalId(number)));
        Assert.True(a.FirstEvent(number).SequenceEqual(b.FirstEvent(number)));
        long left = 0, right = 0;
        while (a.PreviousEvent(number, at, ref left, out var event1))
        {
            Assert.True(b.PreviousEvent(number, at, ref right, out var event2));
            Assert.True(event1.SequenceEqual(event2));
        }
        Assert.False(b.PreviousEvent(number, at, ref right, out _));
    }

    /// <summary>Runs calls on a core and gives its events.</summary>
    public static List<byte[]> Run(OrderCore core, IEnumerable<(Command? Command, long Now)> calls)
    {
        var found = new List<byte[]>();
        var buffer = new EventBuffer(1024);
        foreach (var (command, now) in calls)
        {
            if (command is null) Turns.All(core, now, buffer);
            else core.Execute(command, now, buffer);
            var events = new EventEnumerator(buffer.Written);
            while (events.MoveNext()) found.Add(events.Current.ToArray());
            buffer.Truncate(0);
            core.Reclaim(core.Seal().Sequence);
        }
        return found;
    }

    private delegate ReadOnlySpan<byte> Texts(int number);

    private static void Catalog(int count, Texts text, Texts other, Func<int, string> row, Func<int, string> otherRow)
    {
        for (var number = 1; number <= count; number++)
        {
            Assert.True(text(number).SequenceEqual(other(number)));
            Assert.Equal(row(number), otherRow(number));
        }
    }

    private static string Row(ReadOnlySpan<byte> body, long version) => $"{version} {Convert.ToHexString(body)}";

    private static string Bytes<T>(in T row) where T : unmanaged =>
        Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in row)));

    private static List<string> Slots(StateReader reader, int sku, long at)
    {
        var slots = new List<string>();
        for (var slot = reader.FirstStockSlot(sku); slot != 0; slot = reader.NextStockSlot(slot))
            slots.Add(reader.Stock(slot, at, out var row, out var version) ? $"{slot} {version} {Bytes(in row)}" : $"{slot} none");
        return slots;
    }
}
