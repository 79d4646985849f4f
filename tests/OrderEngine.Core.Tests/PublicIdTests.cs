// Proves: public ids come back as what they were made from, differ, and are refused when they are of another kind or partition or mistyped.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class PublicIdTests
{
    private const long Largest = (1L << 48) - 1;

    [Fact]
    public void Every_number_comes_back_from_its_id_in_every_partition()
    {
        var random = new Random(1);
        for (var i = 0; i < 50_000; i++)
        {
            var number = i < 1_000 ? i + 1 : random.NextInt64(1, Largest + 1);
            var partition = random.Next(1 << 16);
            var kind = i % 2 == 0 ? PublicId.Order : PublicId.Reservation;
            var id = PublicId.Format(kind, number, partition);
            Assert.Equal(PublicId.Length, id.Length);
            Assert.True(PublicId.TryParse(kind, id, out var back, partition));
            Assert.Equal(number, back);
        }
        Assert.True(PublicId.TryParse('o', PublicId.Format('o', Largest, 65_535), out var last, 65_535));
        Assert.Equal(Largest, last);
    }

    [Fact]
    public void No_two_numbers_share_an_id_and_ids_do_not_sort_like_numbers()
    {
        var ids = Enumerable.Range(1, 100_000).Select(n => PublicId.Format(PublicId.Order, n)).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var rising = ids.Zip(ids.Skip(1)).Count(pair => string.CompareOrdinal(pair.First, pair.Second) < 0);
        Assert.InRange(rising, 40_000, 60_000);
    }

    [Fact]
    public void Another_kind_or_partition_is_refused()
    {
        for (var number = 1L; number < 2_000; number++)
        {
            var id = PublicId.Format(PublicId.Order, number, 3);
            Assert.False(PublicId.TryParse(PublicId.Reservation, id, out _, 3));
            Assert.False(PublicId.TryParse(PublicId.Reservation, "r" + id[1..], out _, 3));
            Assert.False(PublicId.TryParse(PublicId.Order, id, out _));
        }
    }

    [Fact]
    public void A_mistyped_id_is_refused()
    {
        const string typed = "0123456789abcdefghijklmnopqrstuvwxyzABCXYZ -_é";
        for (var number = 1L; number <= 300; number++)
        {
            var id = PublicId.Format(PublicId.Order, number);
            for (var at = 0; at < id.Length; at++)
            {
                foreach (var c in typed.Where(c => c != id[at])) Assert.False(PublicId.TryParse(PublicId.Order, id[..at] + c + id[(at + 1)..], out _), $"{id} with {c} at {at}");
                if (at > 0 && id[at] != id[at - 1]) Assert.False(PublicId.TryParse(PublicId.Order, id[..(at - 1)] + id[at] + id[at - 1] + id[(at + 1)..], out _), $"{id} swapped at {at}");
            }
            Assert.False(PublicId.TryParse(PublicId.Order, id.AsSpan(1), out _));
            Assert.False(PublicId.TryParse(PublicId.Order, id + "0", out _));
            Assert.False(PublicId.TryParse(PublicId.Order, id.ToUpperInvariant(), out _));
        }
        Assert.False(PublicId.TryParse(PublicId.Order, "", out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(Largest + 1)]
    public void Numbers_out_of_bounds_have_no_id(long number) => Assert.Throws<ArgumentOutOfRangeException>(() => PublicId.Format(PublicId.Order, number));

    [Theory]
    [InlineData("GBP", 3)]
    [InlineData("", 0)]
    [InlineData("EURO", 0)]
    [InlineData("EU", 0)]
    public void A_currency_comes_back_as_packed_or_is_none(string code, int length)
    {
        var packed = Currency.Pack(Shop.Bytes(code));
        Span<byte> bytes = stackalloc byte[3];
        Assert.Equal(length, Currency.Unpack(packed, bytes));
        Assert.Equal(length == 3 ? code : "", Currency.Text(packed));
        if (length == 3) Assert.Equal(code, System.Text.Encoding.ASCII.GetString(bytes));
    }
}
