// Messages that never reach a service: too large, or not protobuf. Grpc.AspNetCore refuses them before interceptors run, without details
// (too large) or as UNKNOWN (not protobuf); here they get the catalogue's status.

using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server;

/// <summary>Around each HTTP request; touches only answers that carry no details of ours.</summary>
internal sealed class UnreadMessages(RequestDelegate next, AccessMetrics metrics)
{
    private const string StatusTrailer = "grpc-status";
    private static readonly string ResourceExhausted = ((int)StatusCode.ResourceExhausted).ToString(CultureInfo.InvariantCulture);
    private static readonly string Unknown = ((int)StatusCode.Unknown).ToString(CultureInfo.InvariantCulture);

    /// <summary>Goes on, then looks at the status.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        // Without a message the status stands in the headers ("trailers only"), otherwise in the trailers.
        var trailers = context.Response.HasStarted ? context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : context.Response.Headers;
        if (trailers is null || trailers.IsReadOnly || trailers.ContainsKey(Errors.DetailsTrailer)) return;
        var status = trailers[StatusTrailer].ToString();
        var refusal = status == ResourceExhausted ? Errors.Status(ErrorReason.MessageTooLarge)
            : status == Unknown ? Errors.InvalidField("", "the message must be valid protobuf")
            : null;
        if (refusal is null) return;
        metrics.Declined(refusal);
        refusal.WriteTo(trailers);
    }
}
