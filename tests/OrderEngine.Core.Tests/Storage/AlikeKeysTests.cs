// Proves: keys that an index cannot tell apart, because the 32 bits of the hash that it keeps are the same, are told apart by whoever uses it. Among ten
// million there are thousands of such pairs; tests with a few thousand keys meet none by chance.

using System.Globalization;
using System.Text;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class AlikeKeysTests
{
    [Fact]
    public void Texts()
    {
        var (first, second) = Alike(number => KeyedHash.Known.Of(Text(number)));
        var table = new SymbolTable(new RowHeap(), KeyedHash.Known);
        Assert.Equal(1, table.Add(Text(first)));
        Assert.Equal(0, table.Find(Text(second)));
        Assert.Equal(2, table.Add(Text(second)));
        Assert.Equal((1, 2), (table.Find(Text(first)), table.Find(Text(second))));
    }

    [Fact]
    public void External_ids_of_a_channel()
    {
        const int channel = 7;
        var (first, second) = Alike(number => KeyedHash.Known.Of(Text(number), channel));
        var index = new ExternalIdIndex(new RowHeap(), KeyedHash.Known);
        index.Add(channel, Text(first), 100);
        Assert.Equal(0, index.Find(channel, Text(second)));
        index.Add(channel, Text(second), 200);
        Assert.Equal((100L, 200L), (index.Find(channel, Text(first)), index.Find(channel, Text(second))));
    }

    [Fact]
    public void Request_ids()
    {
        static UInt128 Key(long number) => new(StableHash.Mix((ulong)number, 1), StableHash.Mix((ulong)number, 2));
        var (first, second) = Alike(number => KeyedHash.Known.Of(Key(number)));
        var shop = new Shop();
        var answers = new[] { Receive(first), Receive(second) };
        Assert.DoesNotContain(answers, answer => answer.Replayed);
        Assert.Equal(2, shop.Core.State.Stock.OnHand);
        Assert.Equal(answers.Select(answer => answer.Sequence), new[] { Receive(first), Receive(second) }.Select(again => new EventView(again.Recorded).Sequence));
        Assert.Equal(2, shop.Core.State.Stock.OnHand);

        Decision Receive(long number) => shop.Ok(new ReceiveStock
        {
            Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = Key(number), BodyDigest = 1,
        });
    }

    [Fact]
    public void Stock_of_SKUs_and_locations()
    {
        // The first location of a SKU is found without the index.
        const int home = 1, locations = 100;
        static int Sku(long number) => (int)(number / locations) + 1;
        static int Location(long number) => home + 1 + (int)(number % locations);
        var (first, second) = Alike(number => KeyedHash.Known.Of((ulong)Sku(number), (ulong)Location(number)));
        var stock = new EngineState(KeyedHash.Known).Stock;
        stock.Change(Sku(first), home, sequence: 1, onHand: 1);
        stock.Change(Sku(second), home, sequence: 2, onHand: 1);
        stock.Change(Sku(first), Location(first), sequence: 3, onHand: 5);
        Assert.Equal(0, stock.Find(Sku(second), Location(second)));
        stock.Change(Sku(second), Location(second), sequence: 4, onHand: 8);
        Assert.Equal((5L, 8L), (stock.Level(Sku(first), Location(first)).OnHand, stock.Level(Sku(second), Location(second)).OnHand));
    }

    [Fact]
    public void Customers_and_currencies_that_owe()
    {
        static int Currency(long number) => (int)(StableHash.Mix((ulong)number, 3) & 0xFF_FFFF);
        static int Customer(long number) => (int)(StableHash.Mix((ulong)number, 4) & int.MaxValue);
        var (first, second) = Alike(number => KeyedHash.Known.Of((ulong)Customer(number), (ulong)Currency(number)));
        var ledger = new CreditLedger(KeyedHash.Known);
        ledger.Change(Customer(first), Currency(first), 5, 1);
        Assert.Equal(0, ledger.Of(Customer(second), Currency(second)));
        ledger.Change(Customer(second), Currency(second), 8, 2);
        Assert.Equal((5L, 8L), (ledger.Of(Customer(first), Currency(first)), ledger.Of(Customer(second), Currency(second))));
    }

    private static byte[] Text(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    // The first pair, as the index keeps their hashes: some hundred thousand have one.
    private static (long First, long Second) Alike(Func<long, ulong> hash)
    {
        var seen = new Dictionary<uint, long>();
        for (long number = 1; ; number++)
        {
            var part = HashIndex.Part(hash(number));
            if (!seen.TryAdd(part, number)) return (seen[part], number);
        }
    }
}
