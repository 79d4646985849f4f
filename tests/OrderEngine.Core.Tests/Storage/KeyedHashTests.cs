// Proves: the hash of texts is SipHash-1-3; what an attacker can prepare against the hash that everybody knows does not crowd a bucket under a
// secret; and nothing that can be seen depends on the secret.

using System.Numerics;
using System.Text;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Core.Tests.Histories;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class KeyedHashTests
{
    private const int Ids = 1_024;

    // From another implementation: CPython's hash of bytes (3.11, siphash13), PYTHONHASHSEED 0 and 7.
    [Theory]
    [InlineData("00000000000000000000000000000000", "a", 0x407448d2b89b1813)]
    [InlineData("00000000000000000000000000000000", "abcdefg", 0x6db12aae9070f506)]
    [InlineData("00000000000000000000000000000000", "abcdefgh", 0x3f7b849c0b8e35ea)]
    [InlineData("00000000000000000000000000000000", "SKU-12345678", 0x317a444631ace15a)]
    [InlineData("00000000000000000000000000000000", "a text that is longer than four words of eight", 0x5045c698a8d3751e)]
    [InlineData("3d0e6f80a174c8124f78d2f9d2890a47", "a", 0x58fddb5aae8c3c14)]
    [InlineData("3d0e6f80a174c8124f78d2f9d2890a47", "abcdefg", 0x2db7f6d54ca1c1b4)]
    [InlineData("3d0e6f80a174c8124f78d2f9d2890a47", "SKU-12345678", 0x41c8136228fd2290)]
    [InlineData("3d0e6f80a174c8124f78d2f9d2890a47", "a text that is longer than four words of eight", 0xc967b63fcfdf7588)]
    public void Texts_are_hashed_with_SipHash_1_3(string key, string text, ulong expected)
    {
        var secret = new byte[KeyedHash.SecretBytes];
        Convert.FromHexString(key).CopyTo(secret, 0);
        Assert.Equal(expected, new KeyedHash(secret).Of(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void Every_length_and_every_byte_counts()
    {
        var hash = KeyedHash.Numbered(5);
        var seen = new HashSet<ulong>();
        for (var length = 0; length <= 40; length++)
        {
            var text = new byte[length];
            Assert.True(seen.Add(hash.Of(text)));
            for (var at = 0; at < length; at++)
            {
                text[at] = 1;
                Assert.True(seen.Add(hash.Of(text)), $"Byte {at} of {length}.");
                text[at] = 0;
            }
        }
        Assert.NotEqual(hash.Of("x"u8, 1), hash.Of("x"u8, 2));
    }

    [Fact]
    public void Two_words_are_multiplied_and_added_modulo_2_to_the_128th()
    {
        var secret = new byte[KeyedHash.SecretBytes];
        new Random(3).NextBytes(secret);
        var (sum, low, high) = (Big(secret.AsSpan(16, 16)), Big(secret.AsSpan(32, 16)), Big(secret.AsSpan(48, 16)));
        foreach (var key in new[] { UInt128.Zero, UInt128.One, UInt128.MaxValue, new UInt128(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210) })
        {
            var whole = (sum + low * (ulong)key + high * (ulong)(key >> 64)) % BigInteger.Pow(2, 128);
            Assert.Equal((ulong)(whole >> 64), new KeyedHash(secret).Of(key));
        }

        static BigInteger Big(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true);
    }

    [Fact]
    public void Ids_prepared_for_one_bucket_are_spread_by_a_secret()
    {
        // What anybody can do at home: ids whose public hash ends in the same ten bits.
        var prepared = new List<byte[]>();
        for (var i = 0; prepared.Count < Ids; i++)
            if (Encoding.ASCII.GetBytes($"A-{i}") is var id && (StableHash.Of(id, 1) & (Ids - 1)) == 7) prepared.Add(id);
        for (var secret = 0; secret < 5; secret++)
        {
            var hash = KeyedHash.Numbered(secret);
            Assert.InRange(Fullest(prepared.Select(id => hash.Of(id, 1))), 1, 12);
            // And request keys that count up in one of their words.
            Assert.InRange(Fullest(Enumerable.Range(0, Ids).Select(i => hash.Of(new UInt128(0, (ulong)i << 32)))), 1, 12);
            Assert.InRange(Fullest(Enumerable.Range(0, Ids).Select(i => hash.Of(new UInt128((ulong)i << 32, 5)))), 1, 12);
        }
    }

    // More than HashIndex.MaxCandidates keys that are the same in the half by which they once were found: each was answered INTERNAL.
    [Fact]
    public void Request_keys_that_share_a_half_are_told_apart()
    {
        var shop = new Shop();
        var first = Receive(1);
        for (ulong i = 2; i <= 2 * HashIndex.MaxCandidates; i++) Receive(i);
        var again = Receive(1);
        Assert.True(again.Replayed);
        Assert.Equal(first.Sequence, new EventView(again.Recorded).Sequence);
        Assert.Equal(2 * HashIndex.MaxCandidates, shop.Core.State.Stock.OnHand);

        Decision Receive(ulong half) => shop.Ok(new ReceiveStock
        {
            Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = new UInt128(half, 42), BodyDigest = 1,
        });
    }

    [Fact]
    public void Nothing_that_can_be_seen_depends_on_the_secret()
    {
        var histories = Enumerable.Range(2, 4).Select(secret => Run(KeyedHash.Numbered(secret))).ToList();
        foreach (var other in histories[1..])
        {
            Assert.Equal(histories[0].Summary, other.Summary);
            Assert.Equal(histories[0].Events, other.Events);
            Assert.Equal(histories[0].Snapshot, other.Snapshot);
        }
    }

    private static (StateSummary Summary, List<string> Events, List<string> Snapshot) Run(KeyedHash hash)
    {
        var history = new History(new Tally(), hash: hash);
        var random = new Random(20);
        for (var i = 0; i < 2_000; i++) history.Step(random.Next(int.MinValue, int.MaxValue));
        history.Turn();
        var summary = history.Seal();
        var (blocks, _) = SnapshotSupport.Take(history.Core, summary);
        return (summary, [.. history.Events.Select(Convert.ToHexString)], [.. blocks.Select(Convert.ToHexString)]);
    }

    private static int Fullest(IEnumerable<ulong> hashes) => hashes.GroupBy(hash => hash & (Ids - 1)).Max(bucket => bucket.Count());
}
