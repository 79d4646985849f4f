// In front of every rpc of the contract: who calls, and may they. Refuses before a byte of the request's message is read. Stateless but
// for what it remembers with a connection; one call a thread.

using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Access;

/// <summary>What callers without a credential may.</summary>
/// <param name="TrustsAnonymous">True: everything, as a developer's machine wants it.</param>
internal sealed record AccessPolicy(bool TrustsAnonymous);

/// <summary>The middleware that lets calls in.</summary>
internal sealed class AccessGate(RequestDelegate next, AccessPolicy policy, CredentialStore keys, TimeProvider time, AccessMetrics metrics, JwtTokens? tokens)
{
    private const string Scheme = "Bearer ";

    // Health and reflection need no credential.
    private static readonly FrozenSet<string> Open = Contract.Standard.Select(service => service.FullName).ToFrozenSet();
    private static readonly Google.Rpc.Status Unimplemented = new() { Code = (int)StatusCode.Unimplemented, Message = "Paths are told apart by the case of their letters." };

    /// <summary>Lets the call in with its grant, or refuses it.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // The endpoint says which rpc it will be, not the path: routing takes paths of other letters for the same.
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } method || Open.Contains(method.ServiceName)) return next(context);
        var path = method.FullName;
        if (path != context.Request.Path.Value) return RefuseAsync(context, Unimplemented);
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0)
            return policy.TrustsAnonymous ? EnterAsync(context, Grant.Trusted) : RefuseAsync(context, ErrorReason.CredentialMissing);
        var shown = ShownCredential.Of(context);
        var text = header.Count == 1 ? header[0]! : "";
        if (shown?.Last is { } last && last.Is(text) && last.Caller.IsGoodAt(time.GetUtcNow())) return AdmitAsync(context, path, last.Caller);
        return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? IdentifyAsync(context, path, text, shown)
            : RefuseAsync(context, ErrorReason.CredentialInvalid);
    }

    private Task AdmitAsync(HttpContext context, string path, Caller caller) =>
        RpcTable.Find(path) is { } rpc && caller.GrantFor(rpc) is { } grant
            ? EnterAsync(context, grant)
            : RefuseAsync(context, ErrorReason.ScopeMissing);

    private async Task EnterAsync(HttpContext context, Grant grant)
    {
        if (grant.Caller.Share?.TryEnter(out var retry) is { } refused)
        {
            await RefuseAsync(context, Errors.Status(refused, retry));
            return;
        }
        // Undone when this method ends.
        Grant.Current = grant;
        try
        {
            await next(context);
        }
        finally
        {
            grant.Caller.Share?.Leave();
        }
    }

    // A client shows the same credential with every call of a connection: what was found good is remembered with it.
    private async Task IdentifyAsync(HttpContext context, string path, string header, ShownCredential? shown)
    {
        var text = header[Scheme.Length..].Trim();
        var isToken = text.AsSpan().Count('.') == 2;
        var caller = !isToken ? keys.Find(text) : tokens is null ? null : await tokens.FindAsync(text);
        if (caller is null)
        {
            await RefuseAsync(context, ErrorReason.CredentialInvalid);
            return;
        }
        if (shown is not null) shown.Last = new ShownCredential.Known(header, caller);
        await AdmitAsync(context, path, caller);
    }

    private Task RefuseAsync(HttpContext context, ErrorReason reason) => RefuseAsync(context, Errors.Status(reason));

    private Task RefuseAsync(HttpContext context, Google.Rpc.Status status)
    {
        metrics.Refused(status);
        context.Response.ContentType = "application/grpc";
        status.WriteTo(context.Response.Headers);
        return Task.CompletedTask;
    }
}

/// <summary>The credential that a connection showed last and that was found good. One object a connection, made with it; any thread.</summary>
internal sealed class ShownCredential
{
    private static readonly object ItemKey = new();
    private Known? _last;

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

    /// <summary>Gives a new connection its object.</summary>
    public static void Attach(ConnectionContext connection) => connection.Items[ItemKey] = new ShownCredential();

    /// <summary>That of a call's connection.</summary>
    public static ShownCredential? Of(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(ItemKey, out var shown) == true ? (ShownCredential?)shown : null;
}
