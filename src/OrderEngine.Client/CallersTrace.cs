// Owns that a call carries the trace of whoever makes it (W3C traceparent): the span of the program, not one of the transport's that nobody
// exports. Any thread.
using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace OrderEngine.Client;

internal static class CallersTrace
{
    private const string Header = "traceparent";

    /// <summary>Calls that name the current activity, where there is one and the call names none itself.</summary>
    public static CallInvoker Named(this CallInvoker calls) => calls.Intercept(headers =>
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } || headers.Get(Header) is not null) return headers;
        // The caller's own headers may be used for other calls too.
        var all = new Metadata();
        foreach (var header in headers) all.Add(header);
        all.Add(Header, id);
        return all;
    });
}
