// Proves: digests made in the same way tell bodies apart; across an upgrade of the way, and after an import, the recorded answer counts.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class BodyDigestTests
{
    [Fact]
    public void Only_digests_of_one_kind_tell_bodies_apart()
    {
        var one = BodyDigest.OfSipHash(1);
        Assert.False(BodyDigest.Differ(one, one));
        Assert.True(BodyDigest.Differ(one, BodyDigest.OfSipHash(2)));
        // As an earlier version recorded it, and as an import comes.
        Assert.False(BodyDigest.Differ(UInt128.MaxValue - 5, one));
        Assert.False(BodyDigest.Differ(0, one));
        // All but the mark is the digest's own.
        Assert.NotEqual(BodyDigest.OfSipHash(UInt128.One << 95), BodyDigest.OfSipHash(0));
    }
}
