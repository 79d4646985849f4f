// In front of every rpc of the contract: who calls, and may they. Refuses before a byte of the request's message is read. Stateless but
// for what it remembers with a connection; one call a thread.

using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Access;

/// <summary>What callers without a credential may.</summary>
/// <param name="TrustsAnonymous">True: everything, as a developer's machine wants it.</param>
internal sealed record AccessPolicy(bool TrustsAnonymous);

/// <summary>The middleware that lets calls in.</summary>
internal sealed class AccessGate(RequestDelegate next, AccessPolicy policy, CredentialStore keys, TimeProvider time, AccessMetrics metrics, SlowMessages slow, JwtTokens? tokens)
{
    private const string Scheme = "Bearer ";

    // Health and reflection need no credential.
    private static readonly FrozenSet<string> Open = Contract.Standard.Select(service => service.FullName).ToFrozenSet();
    private static readonly string TurnedAwayReason = Errors.Name(ErrorReason.QueueFull);
    private static readonly HeaderDictionary TurnedAway = Headers(Errors.Status(ErrorReason.QueueFull));
    private static readonly Google.Rpc.Status Unimplemented = new() { Code = (int)StatusCode.Unimplemented, Message = "Paths are told apart by the case of their letters." };

    /// <summary>Lets the call in with its grant, or refuses it.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // The endpoint says which rpc it will be, not the path: routing takes paths of other letters for the same.
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } method) return next(context);
        if (Open.Contains(method.ServiceName)) return OpenAsync(context);
        var path = method.FullName;
        if (path != context.Request.Path.Value) return RefuseAsync(context, Unimplemented);
        var isStream = method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming;
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0)
            return policy.TrustsAnonymous ? EnterAsync(context, path, isStream, Grant.Trusted) : RefuseAsync(context, ErrorReason.CredentialMissing);
        var shown = ShownCredential.Of(context);
        var text = header.Count == 1 ? header[0]! : "";
        if (shown?.Last is { } last && last.Is(text) && last.Caller.IsGoodAt(time.GetUtcNow())) return AdmitAsync(context, path, isStream, last.Caller);
        return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? IdentifyAsync(context, path, isStream, text, shown)
            : RefuseAsync(context, ErrorReason.CredentialInvalid);
    }

    // Nobody need say who he is, so that a flood of these could come from anybody.
    private Task OpenAsync(HttpContext context) =>
        ShownCredential.Of(context)?.MayCallOpenly(time) == false ? RefuseAsync(context, Errors.Status(ErrorReason.RateLimited), isWasted: true) : next(context);

    private Task AdmitAsync(HttpContext context, string path, bool isStream, Caller caller) =>
        RpcTable.Find(path) is { } rpc && caller.GrantFor(rpc) is { } grant
            ? EnterAsync(context, path, isStream, grant)
            : RefuseAsync(context, ErrorReason.ScopeMissing);

    // Thousands a second at a time when there is none to spare. It counts neither as of use nor as wasted.
    private void TurnAway(HttpContext context)
    {
        metrics.Refused(TurnedAwayReason);
        context.Response.ContentType = "application/grpc";
        foreach (var (name, value) in TurnedAway) context.Response.Headers[name] = value;
    }

    private async Task EnterAsync(HttpContext context, string path, bool isStream, Grant grant)
    {
        // Streams live for days at whatever rate there is something to say; any other call has its message to send, and no more.
        if (isStream) context.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
        var began = Environment.TickCount64;
        var share = grant.Caller.Share;
        if (share?.TryEnter(grant.IsList, out var retry) is { } refused)
        {
            await RefuseAsync(context, Errors.Status(refused, retry), isWasted: refused is ErrorReason.ClientPaused or ErrorReason.CallLimitReached);
            return;
        }
        // After credential and share: who has none, or has used it up, is told that.
        if (ShownCredential.Of(context) is { TurnsAway: true } && RpcTable.Find(path) is { CanBeTurnedAway: true })
        {
            share?.Leave(grant.IsList);
            TurnAway(context);
            return;
        }
        // Undone when this method ends.
        Grant.Current = grant;
        var meter = share is null ? null : MessageMeter.Attach(context, share, isStream, slow, metrics);
        try
        {
            if (meter is null || isStream || await meter.ArrivesAsync()) await next(context);
        }
        finally
        {
            meter?.Release();
            share?.Leave(grant.IsList);
            ShownCredential.Count(context, context.RequestAborted.IsCancellationRequested && Environment.TickCount64 - began < ServerLimits.HastyCall.TotalMilliseconds);
        }
    }

    // A client shows the same credential with every call of a connection: what was found good is remembered with it.
    private async Task IdentifyAsync(HttpContext context, string path, bool isStream, string header, ShownCredential? shown)
    {
        var text = header[Scheme.Length..].Trim();
        var isToken = text.AsSpan().Count('.') == 2;
        var caller = !isToken ? keys.Find(text) : tokens is null ? null : await tokens.FindAsync(text);
        if (caller is null)
        {
            await RefuseAsync(context, ErrorReason.CredentialInvalid);
            return;
        }
        if (shown is not null && caller.Share is { } share && !shown.TryJoin(share))
        {
            // The answer first; then the connection ends, in order.
            await RefuseAsync(context, ErrorReason.ConnectionLimitReached);
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return;
        }
        if (shown is not null) shown.Last = new ShownCredential.Known(header, caller);
        await AdmitAsync(context, path, isStream, caller);
    }

    private static HeaderDictionary Headers(Google.Rpc.Status status)
    {
        var headers = new HeaderDictionary();
        status.WriteTo(headers);
        return headers;
    }

    private Task RefuseAsync(HttpContext context, ErrorReason reason) => RefuseAsync(context, Errors.Status(reason));

    private Task RefuseAsync(HttpContext context, Google.Rpc.Status status, bool isWasted = false)
    {
        metrics.Refused(status);
        ShownCredential.Count(context, isWasted || status.Code == (int)StatusCode.Unauthenticated);
        context.Response.ContentType = "application/grpc";
        status.WriteTo(context.Response.Headers);
        return Task.CompletedTask;
    }
}

/// <summary>
/// What a connection has shown: the credential that was found good last, whose credentials it has shown, and whether it is of any use. One object a
/// connection, made with it; any thread.
/// </summary>
internal sealed class ShownCredential
{
    private static readonly object ItemKey = new();
    private readonly List<ClientShare> _clients = [];
    private bool _hasEnded;
    private bool _turnsAway;
    private bool _isCutOff;
    private object? _origin;
    private Action<object>? _cutOff;
    private Pace _open;
    private Known? _last;
    private int _calls;
    private int _wasted;

    /// <summary>A header, and who showed it.</summary>
    public sealed record Known(string Header, Caller Caller)
    {
        /// <summary>Compares in a time that does not depend on where the two differ.</summary>
        public bool Is(string header) =>
            CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(header.AsSpan()), MemoryMarshal.AsBytes(Header.AsSpan()));
    }

    /// <summary>Null: none yet.</summary>
    public Known? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    /// <summary>True: the calls that begin now have waited too long, as those before them (<see cref="ServerLimits.LongestUnread"/>). Told by the connection's reader, asked by its calls a little
    /// later: where an overload begins or ends, some are taken for their neighbours.</summary>
    public bool TurnsAway
    {
        get => Volatile.Read(ref _turnsAway);
        set => Volatile.Write(ref _turnsAway, value);
    }

    /// <summary>In which its calls begin; null: it is not a server's (tests).</summary>
    public ConnectionTurns? Turns { get; private set; }

    /// <summary>Whose turn it is when its calls begin: the client that showed its credential last, or else whoever comes from its address.</summary>
    public object Client => Last?.Caller.Share ?? _origin ?? this;

    /// <summary>The connection is served.</summary>
    /// <param name="turns">In which its calls begin.</param>
    /// <param name="origin">Stands for its address.</param>
    /// <param name="cutOff">Told the origin when the connection is closed for being of no use.</param>
    public void Serve(ConnectionTurns turns, object origin, Action<object> cutOff) => (Turns, _origin, _cutOff) = (turns, origin, cutOff);

    /// <summary>Counts the connection as this client's, too; false: the client has as many as it may.</summary>
    public bool TryJoin(ClientShare client)
    {
        lock (_clients)
        {
            if (_hasEnded || _clients.Contains(client)) return true;
            if (!client.TryConnect()) return false;
            _clients.Add(client);
            return true;
        }
    }

    /// <summary>True: it may make a call now that needs no credential.</summary>
    public bool MayCallOpenly(TimeProvider time)
    {
        var now = time.GetTimestamp();
        lock (_clients)
        {
            if (_open.Next(now, time.TimestampFrequency, ServerLimits.OpenCallsPerSecond, ServerLimits.OpenCallsPerSecond) > 0) return false;
            _open.Take(now, time.TimestampFrequency, ServerLimits.OpenCallsPerSecond);
            return true;
        }
    }

    /// <summary>The connection has ended: it is nobody's any more.</summary>
    public void Ended()
    {
        lock (_clients)
        {
            _hasEnded = true;
            foreach (var client in _clients) client.Disconnect();
        }
    }

    /// <summary>
    /// Counts a call that has ended. A connection most of whose calls are withdrawn as soon as they are begun, refused for want of a credential or of room, or no
    /// messages, is closed, and whose it is waits: HTTP/2 lets a client begin and withdraw calls as fast as it can write (CVE-2023-44487).
    /// </summary>
    /// <param name="context">The call.</param>
    /// <param name="isWasted">True: it had no good credential, or was withdrawn at once.</param>
    public static void Count(HttpContext context, bool isWasted)
    {
        if (Of(context) is not { } shown) return;
        Interlocked.Increment(ref shown._calls);
        if (isWasted) shown.Waste(context);
    }

    /// <summary>A call, counted or about to be, was of no use.</summary>
    public void Waste(HttpContext context)
    {
        var wasted = Interlocked.Increment(ref _wasted);
        if (wasted < ServerLimits.WastedCalls || wasted <= Volatile.Read(ref _calls) / 2) return;
        context.Features.Get<IConnectionLifetimeFeature>()?.Abort();
        lock (_clients)
        {
            if (_isCutOff) return;
            _isCutOff = true;
            foreach (var client in _clients) client.Pause();
        }
        if (_origin is not null) _cutOff?.Invoke(_origin);
    }

    /// <summary>Gives a new connection its object.</summary>
    public static ShownCredential Attach(ConnectionContext connection)
    {
        var shown = new ShownCredential();
        connection.Items[ItemKey] = shown;
        return shown;
    }

    /// <summary>That of a call's connection.</summary>
    public static ShownCredential? Of(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(ItemKey, out var shown) == true ? (ShownCredential?)shown : null;
}
