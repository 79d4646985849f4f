// Who calls, as its credential says, and what that allows in one call. A Caller lives as long as its credential is good; its grants are
// made once an rpc and shared by all calls. Any thread.

using System.Text;
using OrderEngine.Access;
using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Server.Access;

/// <summary>The holder of a credential.</summary>
internal sealed class Caller
{
    private readonly Grant?[] _grants = new Grant?[RpcTable.All.Count];
    private readonly byte[]? _channelId;
    private readonly StateReader? _reader;
    private int _channel;

    /// <param name="name">The actor of what it changes.</param>
    /// <param name="channelId">The one channel that it acts for; null: all.</param>
    /// <param name="scopes">What it may.</param>
    /// <param name="ends">From when on its credential is no good; null: that is not known.</param>
    /// <param name="reader">Knows the number of its channel; null only for a caller that may nothing, or everything.</param>
    /// <param name="revoked">Cancelled when its credential is revoked or changed.</param>
    public Caller(string name, string? channelId, Scopes scopes, DateTimeOffset? ends, StateReader? reader, CancellationToken revoked)
    {
        Name = name;
        Actor = Encoding.UTF8.GetBytes(name);
        _channelId = channelId is null ? null : Encoding.UTF8.GetBytes(channelId);
        _reader = reader;
        Scopes = scopes;
        Ends = ends ?? DateTimeOffset.MaxValue;
        Revoked = revoked;
    }

    /// <summary>What of the server it may use at once; null: whatever there is.</summary>
    public ClientShare? Share { get; init; }

    /// <summary>Whoever calls a server that trusts its callers: every role, and the actor that the request names.</summary>
    public static Caller Trusted { get; } = new("", null, Scopes.None, null, null, default) { IsTrusted = true };

    /// <summary>True: what the request says of its actor is believed.</summary>
    public bool IsTrusted { get; private init; }

    /// <summary>The actor of every change, and the key of limits.</summary>
    public string Name { get; }

    /// <summary>The same as UTF-8.</summary>
    public byte[] Actor { get; }

    /// <summary>What it may.</summary>
    public Scopes Scopes { get; }

    /// <summary>When its credential ends by itself.</summary>
    public DateTimeOffset Ends { get; }

    /// <summary>True: it sees and moves one channel's orders and reservations only.</summary>
    public bool IsBound => _channelId is not null;

    /// <summary>Cancelled when its credential is revoked or changed.</summary>
    public CancellationToken Revoked { get; }

    /// <summary>True when its credential is good at this time.</summary>
    public bool IsGoodAt(DateTimeOffset now) => !Revoked.IsCancellationRequested && now < Ends;

    /// <summary>What it may in a call of this rpc; null: nothing.</summary>
    public Grant? GrantFor(RpcRule rpc)
    {
        if (Volatile.Read(ref _grants[rpc.Index]) is { } known) return known;
        var matched = Scopes & rpc.Scopes;
        if (matched == Scopes.None || IsBound && !rpc.Bound) return null;
        var grant = new Grant(this, Roles.Of(matched), rpc.IsList);
        Volatile.Write(ref _grants[rpc.Index], grant);
        return grant;
    }

    /// <summary>The number of the channel that it is bound to; 0 while the catalog has no such channel. Bound callers only.</summary>
    public int Channel
    {
        get
        {
            // Numbers are given once and never change.
            var known = Volatile.Read(ref _channel);
            if (known == 0 && _reader is not null && (known = _reader.Channels.Find(_channelId)) != 0) Volatile.Write(ref _channel, known);
            return known;
        }
    }

    /// <summary>True when it sees what belongs to this channel.</summary>
    /// <param name="channel">Its number; 0: there is none.</param>
    public bool Sees(int channel) => !IsBound || channel != 0 && channel == Channel;

    /// <summary>A filter by one channel; 0: all. As <see cref="Narrow(int[])"/>.</summary>
    public int Narrow(int channel) => !IsBound ? channel : Channel == 0 ? int.MinValue : Channel;

    /// <summary>A filter by channels, for a stream or a list: only its own, or one that matches nothing while its own is not in the catalog.</summary>
    /// <param name="channels">As asked, each one visible to it; empty: all.</param>
    public int[] Narrow(int[] channels) => !IsBound ? channels : [Channel == 0 ? int.MinValue : Channel];
}

/// <summary>What a call may. Set by the gate around the call; everything within reads <see cref="Current"/>.</summary>
/// <param name="caller">Who calls.</param>
/// <param name="roles">A bit for each role that it may act in.</param>
/// <param name="isList">True: <see cref="RpcRule.IsList"/>.</param>
internal sealed class Grant(Caller caller, uint roles, bool isList = false)
{
    private static readonly AsyncLocal<Grant?> Ambient = new();

    // Outside of the gate nobody may anything.
    private static readonly Grant None = new(new Caller("nobody", "", Scopes.None, null, null, default), 0);

    /// <summary>Every role, for callers that are trusted.</summary>
    public static Grant Trusted { get; } = new(Caller.Trusted, uint.MaxValue);

    /// <summary>That of the call under way.</summary>
    public static Grant Current
    {
        get => Ambient.Value ?? None;
        set => Ambient.Value = value;
    }

    /// <summary>Who calls.</summary>
    public Caller Caller => caller;

    /// <summary>True: the call answers with a page of many entries.</summary>
    public bool IsList => isList;

    /// <summary>True when the caller may act in this role.</summary>
    public bool Allows(Role role) => (roles & Roles.Bit(role)) != 0;

    /// <summary>The role of a caller that names none: the usual one of the command, or else the first that both know.</summary>
    public Role UsualRole(Transition command) =>
        Allows(command.Default) ? command.Default : command.Roles.FirstOrDefault(Allows, command.Default);

    /// <summary>
    /// What request ids are scoped by: the channel that the request names, or else the one that the caller is bound to, apart from it
    /// (a submission and a cancellation may have the same id, as without credentials).
    /// </summary>
    public int RequestScope(int channel) =>
        channel != 0 || !caller.IsBound ? channel : caller.Channel == 0 ? int.MinValue : -caller.Channel;
}

/// <summary>The roles that scopes stand for.</summary>
internal static class Roles
{
    private static readonly (Scopes Scope, Role[] Roles)[] Table =
    [
        (Scopes.Submit, [Role.Channel, Role.Customer]),
        (Scopes.Reserve, [Role.Channel]),
        (Scopes.Fulfil, [Role.Warehouse, Role.Carrier]),
        (Scopes.Finance, [Role.Finance]),
        (Scopes.Review, [Role.Reviewer, Role.Support]),
        (Scopes.Stock, [Role.Warehouse]),
        (Scopes.Admin, [Role.Manager, Role.Support]),
    ];

    /// <summary>A bit for each role of these scopes.</summary>
    public static uint Of(Scopes scopes) =>
        Table.Where(row => scopes.HasFlag(row.Scope)).SelectMany(row => row.Roles).Aggregate(0u, (bits, role) => bits | Bit(role));

    /// <summary>A role's bit.</summary>
    public static uint Bit(Role role) => 1u << (int)role;
}
