// What the digest of a request's body says beyond the body: which way of digesting made it. Any thread.

namespace OrderEngine.Core;

/// <summary>Compares digests of request bodies.</summary>
public static class BodyDigest
{
    // The topmost bits name the way; those of the first way, a whole HMAC, are random.
    private const int KindShift = 96;
    private const uint SipHash = 0x53495031;

    /// <summary>Marks a digest as made with SipHash.</summary>
    public static UInt128 OfSipHash(UInt128 hash) => (hash & ((UInt128.One << KindShift) - 1)) | ((UInt128)SipHash << KindShift);

    /// <summary>
    /// True when two digests tell different bodies apart. One that was recorded in another way cannot: by an earlier version, within a day before an
    /// upgrade; or, 0, by another engine whose events were imported. The recorded answer counts then, whatever the body.
    /// </summary>
    public static bool Differ(UInt128 recorded, UInt128 asked) => recorded != asked && recorded != 0 && (IsSipHash(recorded) || !IsSipHash(asked));

    private static bool IsSipHash(UInt128 digest) => digest >> KindShift == SipHash;
}
