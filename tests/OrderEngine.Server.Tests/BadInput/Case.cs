// The vocabulary of the bad-input table: an rpc with a sound request, and what a change to that request must lead to.

using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Tests.BadInput;

/// <summary>One row of the table.</summary>
/// <param name="Rpc">The rpc.</param>
/// <param name="Field">The field that the row is about, without indexes.</param>
/// <param name="What">What is special about it.</param>
/// <param name="Reason">The refusal; null: accepted.</param>
/// <param name="Path">The field that the refusal must name; null: none.</param>
/// <param name="Call">Sends it; null when it succeeded.</param>
internal sealed record Case(string Rpc, string Field, string What, ErrorReason? Reason, string? Path, Func<TestServer, World, Task<Refusal?>> Call)
{
    public override string ToString() => $"{Rpc}: {Field} {What} -> {(Reason is { } reason ? reason.ToString() : "OK")}";
}

/// <summary>What the table's server holds.</summary>
/// <param name="OrderId">An order of one line, 10 of A, READY.</param>
/// <param name="ReservationId">A reservation of 10 of A, HELD.</param>
internal sealed record World(string OrderId, string ReservationId)
{
    /// <summary>An order of one line, 50,000 of A, DELIVERED.</summary>
    public string DeliveredOrderId { get; init; } = "";
    /// <summary>A return of one unit of the delivered order, REQUESTED.</summary>
    public string ReturnId { get; init; } = "";
    /// <summary>A complaint about the delivered order, OPEN.</summary>
    public string ComplaintId { get; init; } = "";
}

/// <summary>An rpc, a sound request for it, and how to call it.</summary>
/// <param name="name">Its name.</param>
/// <param name="sound">A request in which nothing is wrong.</param>
/// <param name="call">Sends it.</param>
/// <param name="outcome">What a sound request leads to in the table's world; null: it is accepted.</param>
internal sealed class Rpc<T>(string name, Func<World, T> sound, Func<TestServer, T, Task<RpcStatus?>> call, ErrorReason? outcome = null) where T : IMessage<T>
{
    public string Name => name;

    /// <summary>The same requests by another way.</summary>
    public Rpc<T> Via(string way, Func<TestServer, T, Task<RpcStatus?>> other) => new(way, sound, other, outcome);

    /// <summary>The same, where the world does not let a sound request pass.</summary>
    public Rpc<T> LeadingTo(ErrorReason reason) => new(name, sound, call, reason);

    public static Rpc<T> Unary(string name, Func<World, T> sound, Func<TestServer, T, Task> call) => new(name, sound, async (server, request) =>
    {
        await call(server, request);
        return null;
    });

    public Case Ok(string field, string what, Action<T> change) => Row(field, what, outcome, null, change);

    public Case Bad(string field, string what, Action<T> change, string? path = null) => Row(field, what, ErrorReason.InvalidField, path ?? field, change);

    public Case Refused(string field, string what, ErrorReason reason, Action<T> change) => Row(field, what, reason, null, change);

    /// <summary>An id of the seller's: at its bound and beyond, and every rule of its letters.</summary>
    /// <param name="field">The field.</param>
    /// <param name="set">Sets it.</param>
    /// <param name="required">False: it may be empty.</param>
    /// <param name="unknown">What an id that nobody knows leads to; null: it is new and welcome.</param>
    /// <param name="path">The field's path, when it has indexes.</param>
    public IEnumerable<Case> Id(string field, Action<T, string> set, bool required = true, ErrorReason? unknown = null, string? path = null)
    {
        if (required) yield return Bad(field, "empty", request => set(request, ""), path);
        else yield return Ok(field, "empty", request => set(request, ""));
        yield return Row(field, "of 64 bytes", unknown ?? outcome, null, request => set(request, Ids.Of(64)));
        yield return Row(field, "of 64 bytes, two a letter", unknown ?? outcome, null, request => set(request, Ids.Wide(64)));
        yield return Bad(field, "of 65 bytes", request => set(request, Ids.Of(65)), path);
        yield return Bad(field, "of 66 bytes, two a letter", request => set(request, Ids.Wide(66)), path);
        yield return Bad(field, "of a megabyte", request => set(request, Ids.Of(1024 * 1024)), path);
        foreach (var row in Letters(field, set, path)) yield return row;
    }

    /// <summary>A text that may be empty, under the rules of ids.</summary>
    public IEnumerable<Case> ShortText(string field, Action<T, string> set, int bytes)
    {
        yield return Ok(field, "empty", request => set(request, ""));
        yield return Ok(field, $"of {bytes} bytes", request => set(request, Ids.Of(bytes)));
        yield return Bad(field, $"of {bytes + 1} bytes", request => set(request, Ids.Of(bytes + 1)));
        foreach (var row in Letters(field, set, null)) yield return row;
    }

    /// <summary>Free text.</summary>
    public IEnumerable<Case> Text(string field, Action<T, string> set, int bytes, string? path = null)
    {
        yield return Ok(field, "empty", request => set(request, ""));
        yield return Ok(field, $"of {bytes} bytes", request => set(request, Ids.Of(bytes)));
        yield return Bad(field, $"of {bytes + 1} bytes", request => set(request, Ids.Of(bytes + 1)), path);
        yield return Bad(field, $"of {bytes + 2} bytes, two a letter", request => set(request, Ids.Wide(bytes + 2)), path);
        yield return Bad(field, "not UTF-8", request => set(request, "a\ufffdb"), path);
    }

    /// <summary>A number: at both bounds and beyond.</summary>
    public IEnumerable<Case> Number(string field, Action<T, long> set, long least, long most, string? path = null, ErrorReason? atLeast = null, ErrorReason? atMost = null)
    {
        yield return Row(field, $"= {least}", atLeast ?? outcome, null, request => set(request, least));
        yield return Row(field, $"= {most}", atMost ?? outcome, null, request => set(request, most));
        yield return Bad(field, $"= {least - 1}", request => set(request, least - 1), path);
        yield return Bad(field, $"= {most + 1}", request => set(request, most + 1), path);
    }

    /// <summary>An enum: every value, and one that the contract does not know.</summary>
    public IEnumerable<Case> Choice<TEnum>(string field, Action<T, TEnum> set, TEnum most) where TEnum : struct, Enum
    {
        yield return Ok(field, "unspecified", request => set(request, default));
        yield return Ok(field, $"= {most}", request => set(request, most));
        yield return Bad(field, "unknown", request => set(request, (TEnum)(object)99));
        yield return Bad(field, "negative", request => set(request, (TEnum)(object)-1));
    }

    public IEnumerable<Case> MinSequence(Action<T, long> set)
    {
        yield return Ok("min_sequence", "= 1", request => set(request, 1));
        yield return Bad("min_sequence", "= -1", request => set(request, -1));
        yield return Bad("min_sequence", "overflowing", request => set(request, long.MinValue));
    }

    public IEnumerable<Case> Page(Action<T, int> size, Action<T, string> token)
    {
        yield return Ok("page_size", "= 0", request => size(request, 0));
        yield return Ok("page_size", "= 1000", request => size(request, 1000));
        yield return Bad("page_size", "= 1001", request => size(request, 1001));
        yield return Bad("page_size", "= -1", request => size(request, -1));
        foreach (var row in Token("page_token", token)) yield return row;
    }

    public IEnumerable<Case> Token(string field, Action<T, string> set)
    {
        yield return Ok(field, "empty", request => set(request, ""));
        yield return Bad(field, "made up", request => set(request, "abcd"));
        yield return Bad(field, "not base64url", request => set(request, "!!!"));
        yield return Bad(field, "of another kind", request => set(request, new Mapping.Token((Mapping.TokenKind)99, 1).ToString()));
        yield return Bad(field, "of a megabyte", request => set(request, Ids.Of(1024 * 1024)));
    }

    /// <summary>A reason code.</summary>
    public IEnumerable<Case> Reason(string field, Action<T, string> set)
    {
        yield return Ok(field, "empty", request => set(request, ""));
        yield return Ok(field, "of 64 letters", request => set(request, new string('A', 64)));
        yield return Bad(field, "of 65 letters", request => set(request, new string('A', 65)));
        yield return Bad(field, "with a space", request => set(request, "CHANGED MIND"));
        yield return Bad(field, "in lower case", request => set(request, "fraud"));
    }

    /// <summary>request_id and actor, which every change has. FINANCE and SYSTEM may not, unless other roles that may not are named.</summary>
    public IEnumerable<Case> Asker(Action<T, string> id, Action<T, Actor> actor, Contracts.V1.Role allowed, params Contracts.V1.Role[] mayNot)
    {
        foreach (var row in Id("request_id", (request, value) => id(request, Ids.Fresh(value)))) yield return row;
        foreach (var row in ShortText("actor.id", (request, value) => actor(request, new Actor { Id = value }), 64)) yield return row;
        yield return Ok("actor.role", "allowed", request => actor(request, new Actor { Role = allowed }));
        yield return Bad("actor.role", "unknown", request => actor(request, new Actor { Role = (Contracts.V1.Role)99 }));
        foreach (var role in mayNot.Length > 0 ? mayNot : [Contracts.V1.Role.Finance, Contracts.V1.Role.System])
            yield return Refused("actor.role", $"= {role}, that may not", ErrorReason.RoleNotAllowed, request => actor(request, new Actor { Role = role }));
    }

    public IEnumerable<Case> Etag(string field, Action<T, string> set)
    {
        yield return Bad(field, "not a number", request => set(request, "x"));
        yield return Bad(field, "zero", request => set(request, "0"));
        yield return Bad(field, "negative", request => set(request, "-1"));
        yield return Bad(field, "overflowing", request => set(request, "9223372036854775808"));
        yield return Refused(field, "of no version", ErrorReason.EtagMismatch, request => set(request, "9223372036854775807"));
    }

    private IEnumerable<Case> Letters(string field, Action<T, string> set, string? path)
    {
        yield return Bad(field, "with a NUL", request => set(request, "a\0b"), path);
        yield return Bad(field, "with a line feed", request => set(request, "a\nb"), path);
        yield return Bad(field, "with DEL", request => set(request, "a\u007fb"), path);
        yield return Bad(field, "with a C1 control", request => set(request, "a\u0085b"), path);
        yield return Bad(field, "beginning with a space", request => set(request, " a"), path);
        yield return Bad(field, "ending with a no-break space", request => set(request, "a\u00a0"), path);
        yield return Bad(field, "not UTF-8", request => set(request, "a\ufffdb"), path);
    }

    private Case Row(string field, string what, ErrorReason? reason, string? path, Action<T> change) => new(name, field, what, reason, path, async (server, world) =>
    {
        var request = sound(world);
        change(request);
        try
        {
            return await call(server, request) is { } refused ? Refusal.Of(refused) : null;
        }
        catch (RpcException thrown)
        {
            return Refusal.Of(thrown);
        }
    });
}

/// <summary>Ids of a wanted length.</summary>
internal static class Ids
{
    private static int _last;

    public static string Of(int bytes) => new('z', bytes);

    public static string Wide(int bytes) => new('é', bytes / 2);

    /// <summary>As long as the given one, but used by nobody else: letters are replaced from the end.</summary>
    public static string Fresh(string like)
    {
        if (like.Length < 16 || like.Length > 256) return like;
        var number = Interlocked.Increment(ref _last).ToString("D8", System.Globalization.CultureInfo.InvariantCulture);
        var digits = like[^1] == 'é' ? string.Concat(number.Select(digit => (char)(digit - '0' + 'à'))) : number;
        return like[..^8] + digits;
    }
}
