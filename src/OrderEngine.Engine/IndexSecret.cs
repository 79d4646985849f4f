// The secret under which one process hashes what clients choose. Any thread.

using System.Security.Cryptography;
using OrderEngine.Core.Storage;

namespace OrderEngine.Engine;

internal static class IndexSecret
{
    /// <summary>Another one each time. It is kept nowhere: what lies in memory is all that depends on it.</summary>
    public static KeyedHash New()
    {
        Span<byte> secret = stackalloc byte[KeyedHash.SecretBytes];
        RandomNumberGenerator.Fill(secret);
        return new KeyedHash(secret);
    }
}
