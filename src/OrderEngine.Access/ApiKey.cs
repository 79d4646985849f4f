// One API key as it is stored, and the text that its holder shows. Immutable; any thread.

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OrderEngine.Access;

/// <summary>A key without its secret: of that only a hash is kept.</summary>
public sealed record ApiKey
{
    /// <summary>Bytes of randomness in a secret: so many that a plain hash of it cannot be searched.</summary>
    public const int SecretBytes = 32;

    /// <summary>Bytes of UTF-8 in a name or a channel's id, at most.</summary>
    public const int NameBytes = 64;

    /// <summary>Public, unique in its file: what is listed, logged and revoked.</summary>
    public required string Id { get; init; }

    /// <summary>Who holds it: the actor of every change made with it. Stays when the key is rotated. Not personal data.</summary>
    public required string Name { get; init; }

    /// <summary>The one channel whose orders and reservations it sees and moves; null: all.</summary>
    public string? Channel { get; init; }

    /// <summary>What it is good for.</summary>
    public required Scopes Scopes { get; init; }

    /// <summary>SHA-256 of the secret's bytes.</summary>
    public required byte[] SecretHash { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>From when on it is refused; null: never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was revoked; null: it was not.</summary>
    public DateTimeOffset? Revoked { get; init; }

    /// <summary>True when it is good at this time.</summary>
    public bool IsValidAt(DateTimeOffset now) => Revoked is null && (Expires is not { } end || now < end);

    /// <summary>Makes a key and the text for its holder, which is shown once and kept nowhere.</summary>
    public static (ApiKey Key, string Text) Create(string name, string? channel, Scopes scopes, DateTimeOffset now, DateTimeOffset? expires)
    {
        Span<byte> secret = stackalloc byte[SecretBytes];
        RandomNumberGenerator.Fill(secret);
        var id = "k" + RandomNumberGenerator.GetString("0123456789abcdefghjkmnpqrstvwxyz", IdLength - 1);
        var key = new ApiKey
        {
            Id = id, Name = name, Channel = channel, Scopes = scopes, SecretHash = SHA256.HashData(secret), Created = now, Expires = expires,
        };
        return (key, $"{id}.{Base64Url.EncodeToString(secret)}");
    }

    /// <summary>Splits what a caller shows into id and secret; false when it cannot be a key.</summary>
    /// <param name="text">ID.SECRET.</param>
    /// <param name="id">The key's id.</param>
    /// <param name="secret">Takes <see cref="SecretBytes"/> bytes.</param>
    public static bool TryRead(ReadOnlySpan<char> text, out ReadOnlySpan<char> id, Span<byte> secret)
    {
        id = default;
        if (text.Length != IdLength + 1 + SecretLength || text[IdLength] != '.') return false;
        id = text[..IdLength];
        return Base64Url.TryDecodeFromChars(text[(IdLength + 1)..], secret, out var length) && length == SecretBytes;
    }

    /// <summary>Compares in a time that does not depend on where the secrets differ.</summary>
    public bool HasSecret(ReadOnlySpan<byte> secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(secret, hash);
        return CryptographicOperations.FixedTimeEquals(hash, SecretHash);
    }

    /// <summary>What is wrong with a name or a channel's id; null: nothing. The rules of the contract's ids.</summary>
    public static string? Problem(string text)
    {
        if (text.Length == 0) return "must not be empty";
        if (Encoding.UTF8.GetByteCount(text) > NameBytes) return $"must be at most {NameBytes} bytes of UTF-8";
        if (char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1])) return "must not begin or end with white space";
        return text.Any(c => char.IsControl(c) || c == '\uFFFD') ? "must not contain control characters" : null;
    }

    // An id is 'k' and 11 characters of Crockford's base 32; a secret is 32 bytes in base64url without padding.
    private const int IdLength = 12;
    private const int SecretLength = 43;
}
