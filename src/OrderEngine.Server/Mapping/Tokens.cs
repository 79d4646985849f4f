// Page and resume tokens: opaque to clients. base64url of: version, kind, two numbers, a hash of what the token belongs to, a checksum.

using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Storage;

namespace OrderEngine.Server.Mapping;

/// <summary>What a token is good for.</summary>
internal enum TokenKind : byte
{
    /// <summary>WatchOrders: A = everything up to this sequence was sent; B = 0, or the next order of a snapshot under way.</summary>
    Orders = 1,
    /// <summary>WatchStock: A = everything up to this sequence was sent.</summary>
    Stock = 2,
    /// <summary>ListOrderEvents: A = the last sequence sent.</summary>
    OrderEvents = 3,
    /// <summary>ListStock: A = the last slot sent.</summary>
    StockLevels = 4,
    /// <summary>ListSkus: A = the last number sent.</summary>
    Skus = 5,
    /// <summary>ListLocations: A = the last number sent.</summary>
    Locations = 6,
    /// <summary>ListChannels: A = the last number sent.</summary>
    Channels = 7,
    /// <summary>ListIncoming: A = the last number sent.</summary>
    Incoming = 50,
    /// <summary>ListSupplyRequests: A = the last number sent.</summary>
    SupplyRequests = 220,
    /// <summary>ListOrders: A = the last number looked at.</summary>
    OrderList = 70,
    /// <summary>ListExceptions: A = the last number looked at.</summary>
    Exceptions = 71,
    /// <summary>GetStats: A = the last channel sent.</summary>
    Stats = 120,
    /// <summary>GetStatement: A = the last order looked at; B = the sequence of the statement.</summary>
    Statement = 121,
    /// <summary>ListReturns: A = the last number looked at.</summary>
    Returns = 60,
    /// <summary>ListComplaints: A = the last number looked at.</summary>
    Complaints = 240,
    /// <summary>ExportOrders: A = the last order sent whole; B = how many were; its scope is the export.</summary>
    OrderExport = 230,
}

/// <summary>A token's content.</summary>
/// <param name="Kind">What it is good for.</param>
/// <param name="A">First number, not negative.</param>
/// <param name="B">Second number, not negative.</param>
/// <param name="Scope">What else must be alike (the order, the location, of resume tokens the journal), 32 bits of it count; 0: nothing.</param>
internal readonly record struct Token(TokenKind Kind, long A, long B = 0, ulong Scope = 0)
{
    private const byte Version = 1;
    private const int Length = 1 + 1 + 8 + 8 + 4 + 4;
    private const int SumAt = Length - 4;

    // No number of the engine comes near it. Whoever makes his own token must not make the number behind it overflow: a list would begin below all numbers.
    // (A resume token that claims such a sequence is ahead, like any other that is.)
    private const long Beyond = 1L << 62;

    /// <summary>The token as text.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes[0] = Version;
        bytes[1] = (byte)Kind;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], A);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[10..], B);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[18..], (uint)Scope);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[SumAt..], (uint)StableHash.Of(bytes[..SumAt]));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a token of this kind and scope; an empty text gives the start.</summary>
    public static Token Read(ref Violations violations, FieldPath path, string text, TokenKind kind, ulong scope = 0)
    {
        if (text.Length == 0) return new Token(kind, 0, 0, scope);
        if (TryRead(text, kind, scope, out var token)) return token;
        violations.Add(path, Rule);
        return default;
    }

    /// <summary>Reads a resume token of any engine; an empty text gives the start. See <see cref="ThrowIfForeign"/>.</summary>
    public static Token ReadResume(ref Violations violations, FieldPath path, string text, TokenKind kind, ulong journal)
    {
        if (text.Length == 0) return new Token(kind, 0, 0, (uint)journal);
        if (TryRead(text, kind, out var token)) return token;
        violations.Add(path, Rule);
        return default;
    }

    /// <summary>Ends a watch whose token is a position in another journal.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is: RESUME_TOKEN_AHEAD.</exception>
    public void ThrowIfForeign(ulong journal)
    {
        if (Scope != (uint)journal) throw Errors.Status(ErrorReason.ResumeTokenAhead, "The token belongs to another engine.").ToException();
    }

    private const string Rule = "must be a token as answered by the engine to the same kind of request";

    private static bool TryRead(string text, TokenKind kind, ulong scope, out Token token) =>
        TryRead(text, kind, out token) && token.A < Beyond && token.Scope == (uint)scope;

    private static bool TryRead(string text, TokenKind kind, out Token token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[ServerLimits.TokenBytes];
        if (text.Length > ServerLimits.TokenBytes) return false;
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var length) != OperationStatus.Done || length != Length) return false;
        if (bytes[0] != Version || bytes[1] != (byte)kind) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[SumAt..]) != (uint)StableHash.Of(bytes[..SumAt])) return false;
        var scope = BinaryPrimitives.ReadUInt32LittleEndian(bytes[18..]);
        token = new Token(kind, BinaryPrimitives.ReadInt64LittleEndian(bytes[2..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[10..]), scope);
        return token is { A: >= 0, B: >= 0 and < Beyond };
    }
}
