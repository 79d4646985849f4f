// Proves: the hash is the same everywhere, sees every byte and the length, and spreads.

using System.Text;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class StableHashTests
{
    [Theory]
    [InlineData("", 0xd1e3755dc3f80acdUL, "de3dc1156aa5a234c6487021695c6c15")]
    [InlineData("a", 0x10b26c22ef7f0249UL, "6a2be5b3a8e369946f2e66959c91c56a")]
    [InlineData("order", 0xd0650ff125f68c55UL, "d06ffec7f1baccdf6cb454b03914baaa")]
    [InlineData("a longer text of 31 bytes here.", 0x923e2c4f66419e4eUL, "ab6f3196814b69ef894edc54a343ad70")]
    public void Golden_values_never_change(string text, ulong hash, string hash128)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(hash.ToString("x16"), StableHash.Of(bytes).ToString("x16"));
        Assert.Equal(hash128, StableHash.Of128(bytes).ToString("x32"));
    }

    [Fact]
    public void Golden_values_of_long_input_and_seed_and_mix_never_change()
    {
        var bytes = new byte[1000];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(i * 7);
        Assert.Equal("99829dba5a77887d", StableHash.Of(bytes).ToString("x16"));
        Assert.Equal("638f9859350e3e41", StableHash.Of(bytes, seed: 42).ToString("x16"));
        Assert.Equal("da7ad6782422feec", StableHash.Mix(1, 2).ToString("x16"));
    }

    [Fact]
    public void Every_bit_of_every_length_counts_in_both_hashes()
    {
        for (var length = 0; length <= 130; length++)
        {
            var bytes = new byte[length];
            var seen = new HashSet<ulong> { StableHash.Of(bytes) };
            var seen128 = new HashSet<UInt128> { StableHash.Of128(bytes) };
            for (var bit = 0; bit < length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.True(seen.Add(StableHash.Of(bytes)), $"length {length}, bit {bit}");
                Assert.True(seen128.Add(StableHash.Of128(bytes)), $"length {length}, bit {bit}");
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Zeros_of_different_lengths_and_different_seeds_hash_apart()
    {
        var seen = new HashSet<ulong>();
        for (var length = 0; length < 300; length++)
            for (var seed = 0UL; seed < 10; seed++)
                Assert.True(seen.Add(StableHash.Of(new byte[length], seed)), $"length {length}, seed {seed}");
    }

    [Fact]
    public void One_flipped_bit_flips_about_half_of_the_hash()
    {
        var flips = 0L;
        var trials = 0;
        for (var i = 0UL; i < 2000; i++)
        {
            var bytes = BitConverter.GetBytes(i);
            var other = BitConverter.GetBytes(i ^ (1UL << (int)(i % 64)));
            flips += long.PopCount((long)(StableHash.Of(bytes) ^ StableHash.Of(other)));
            flips += long.PopCount((long)(StableHash.Mix(i, 7) ^ StableHash.Mix(i ^ 1, 7)));
            flips += long.PopCount((long)(StableHash.Mix(7, i) ^ StableHash.Mix(7, i ^ (1UL << 63))));
            trials += 3;
        }
        Assert.InRange(flips / (double)trials, 31.5, 32.5);
    }

    [Fact]
    public void Low_bits_of_consecutive_numbers_spread_evenly()
    {
        var buckets = new int[256];
        for (var i = 0UL; i < 256 * 100; i++) buckets[StableHash.Mix(i, 0) & 255]++;
        // 100 expected, standard deviation 10.
        Assert.All(buckets, n => Assert.InRange(n, 50, 150));
        Assert.NotEqual(StableHash.Mix(1, 2), StableHash.Mix(2, 1));
    }
}
