// Public ids: opaque to clients, reversible here. An id holds a kind, a partition and a dense number.

using System.Buffers;
using System.Text;

namespace OrderEngine.Core;

/// <summary>
/// The public form of the dense number of an order, reservation or return: 15 characters, a kind letter, 13 characters of Crockford's base 32
/// (crockford.com/base32.html) and a check character. The 64 bits below hold 16 bits partition and 48 bits number, stirred by an
/// invertible mix so that ids neither sort nor count.
/// </summary>
public static class PublicId
{
    /// <summary>Characters of every public id.</summary>
    public const int Length = 15;

    /// <summary>The kind letter of orders.</summary>
    public const char Order = 'o';

    /// <summary>The kind letter of reservations.</summary>
    public const char Reservation = 'r';

    /// <summary>The kind letter of announced supply.</summary>
    public const char Incoming = 'i';

    /// <summary>The kind letter of exceptions.</summary>
    public const char Exception = 'e';

    /// <summary>The kind letter of returns.</summary>
    public const char Return = 't';

    /// <summary>The highest number that an id can hold: no engine will ever give it to anything.</summary>
    public const long LastNumber = (1L << NumberBits) - 1;

    private const ulong Odd = 0x9E3779B97F4A7C15;
    private const int NumberBits = 48;

    private static ReadOnlySpan<byte> Alphabet => "0123456789abcdefghjkmnpqrstvwxyz"u8;

    /// <summary>Writes the id of <paramref name="number"/> (1 to 2^48 - 1) in <paramref name="partition"/>.</summary>
    public static string Format(char kind, long number, int partition = 0)
    {
        Span<byte> utf8 = stackalloc byte[Length];
        Format(kind, number, utf8, partition);
        return Encoding.ASCII.GetString(utf8);
    }

    /// <summary>The same as UTF-8, into the first <see cref="Length"/> bytes.</summary>
    public static void Format(char kind, long number, Span<byte> utf8, int partition = 0)
    {
        if (number is <= 0 or >= 1L << NumberBits) throw new ArgumentOutOfRangeException(nameof(number));
        var bits = Stir(((ulong)partition << NumberBits) | (ulong)number);
        utf8[0] = (byte)kind;
        for (var i = 13; i >= 1; i--, bits >>= 5) utf8[i] = Alphabet[(int)(bits & 31)];
        utf8[14] = Check(utf8[..14]);
    }

    /// <summary>Reads an id of the given kind; false when it is malformed or of another kind or partition.</summary>
    public static bool TryParse(char kind, ReadOnlySpan<char> text, out long number, int partition = 0)
    {
        number = 0;
        Span<byte> utf8 = stackalloc byte[Length];
        if (text.Length != Length || Ascii.FromUtf16(text, utf8, out _) != OperationStatus.Done) return false;
        if (utf8[0] != kind || utf8[14] != Check(utf8[..14])) return false;
        ulong bits = 0;
        for (var i = 1; i < 14; i++)
        {
            var digit = Alphabet.IndexOf(utf8[i]);
            if (digit < 0 || i == 1 && digit > 15) return false;
            bits = (bits << 5) | (uint)digit;
        }
        var value = Unstir(bits);
        if ((int)(value >> NumberBits) != partition) return false;
        number = (long)(value & ((1UL << NumberBits) - 1));
        return number > 0;
    }

    private static byte Check(ReadOnlySpan<byte> text)
    {
        var sum = 0u;
        foreach (var c in text) sum = sum * 31 + c;
        return Alphabet[(int)(sum & 31)];
    }

    // Two rounds of xor-shift and multiplication by an odd number: each step is invertible modulo 2^64.
    private static ulong Stir(ulong x)
    {
        x ^= x >> 32;
        x *= Odd;
        x ^= x >> 29;
        x *= Odd;
        return x ^ (x >> 32);
    }

    private static ulong Unstir(ulong x)
    {
        var inverse = Inverse(Odd);
        x ^= x >> 32;
        x *= inverse;
        x ^= (x >> 29) ^ (x >> 58);
        x *= inverse;
        return x ^ (x >> 32);
    }

    // Newton's iteration for the inverse of an odd number modulo 2^64: each step doubles the correct low bits.
    private static ulong Inverse(ulong odd)
    {
        var inverse = odd;
        for (var i = 0; i < 6; i++) inverse *= 2 - odd * inverse;
        return inverse;
    }
}

/// <summary>An ISO 4217 code packed into an int, so that rows hold it without a reference.</summary>
public static class Currency
{
    /// <summary>Packs three upper-case ASCII letters; 0 for an empty text.</summary>
    public static int Pack(ReadOnlySpan<byte> code) => code.Length == 3 ? code[0] | code[1] << 8 | code[2] << 16 : 0;

    /// <summary>Unpacks into <paramref name="code"/> (3 bytes) and returns the length written: 3, or 0 for none.</summary>
    public static int Unpack(int packed, Span<byte> code)
    {
        if (packed == 0) return 0;
        code[0] = (byte)packed;
        code[1] = (byte)(packed >> 8);
        code[2] = (byte)(packed >> 16);
        return 3;
    }

    /// <summary>The code as text; empty for none.</summary>
    public static string Text(int packed) =>
        packed == 0 ? "" : string.Create(3, packed, static (text, p) => (text[0], text[1], text[2]) = ((char)(p & 255), (char)((p >> 8) & 255), (char)((p >> 16) & 255)));
}
