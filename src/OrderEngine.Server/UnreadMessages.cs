// The first and last of a call: its place among the calls that begin is given back; one that was withdrawn before it began goes no further. Messages that
// never reach a service, too large or not protobuf, Grpc.AspNetCore refuses before CallGuard runs, without details (too large) or as UNKNOWN (not
// protobuf); here they get the catalogue's status, and count as wasted.

using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server;

/// <summary>Around each HTTP request; touches only answers that carry no details of ours.</summary>
internal sealed class UnreadMessages(RequestDelegate next, AccessMetrics metrics, IServiceProvider services)
{
    private const string StatusTrailer = "grpc-status";
    private static readonly string ResourceExhausted = Text(StatusCode.ResourceExhausted);
    private static readonly string Unknown = Text(StatusCode.Unknown);
    private static readonly string Internal = Text(StatusCode.Internal);
    private static readonly string Unimplemented = Text(StatusCode.Unimplemented);

    private readonly NoScope _services = new(services);

    /// <summary>Goes on, then looks at the status.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var shown = ShownCredential.Of(context);
        if (context.RequestAborted.IsCancellationRequested)
        {
            // What nobody waits for any more would end in exceptions further on, at a hundred times the price.
            shown?.Turns?.GiveBack();
            ShownCredential.Count(context, isWasted: true);
            return;
        }
        context.Features.Set<IServiceProvidersFeature>(_services);
        Task served;
        try
        {
            served = next(context);
        }
        finally
        {
            // It waits for the first time, or has ended: until now it has used a processor.
            shown?.Turns?.GiveBack();
        }
        await served;
        // Without a message the status stands in the headers ("trailers only"), otherwise in the trailers.
        var trailers = context.Response.HasStarted ? context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : context.Response.Headers;
        if (trailers is null || trailers.IsReadOnly || trailers.ContainsKey(Errors.DetailsTrailer)) return;
        var status = trailers[StatusTrailer].ToString();
        if (status == Unknown || status == Internal || status == Unimplemented) shown?.Waste(context);
        var refusal = status == ResourceExhausted ? Errors.Status(ErrorReason.MessageTooLarge)
            : status == Unknown ? Errors.InvalidField("", "the message must be valid protobuf")
            : null;
        if (refusal is null) return;
        metrics.Declined(refusal);
        refusal.WriteTo(trailers);
    }

    // All services are singletons: a scope for each call, which the framework would make otherwise, is for nothing.
    private sealed class NoScope(IServiceProvider services) : IServiceProvidersFeature
    {
        public IServiceProvider RequestServices
        {
            get => services;
            set => throw new NotSupportedException("It is that of all calls.");
        }
    }

    private static string Text(StatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);
}
