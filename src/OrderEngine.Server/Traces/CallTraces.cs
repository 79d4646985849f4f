// Spans of calls, for an OpenTelemetry collector: a call that came through the gate, as a child of its caller's span (traceparent), and the steps
// of its command. There is no such object where traces are off. Any thread.

using System.Diagnostics;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using OrderEngine.Server.Access;

namespace OrderEngine.Server.Traces;

/// <summary>Begins the spans. One object a server.</summary>
internal sealed class CallTraces : IDisposable
{
    /// <summary>The name of the spans' source.</summary>
    public const string SourceName = "OrderEngine";

    private readonly ActivitySource _source = new(SourceName);
    private readonly ActivityListener _requests = new()
    {
        // The framework's own activity of a request reads traceparent; the histogram of durations takes its exemplars from it. It is never exported.
        ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
    };
    private readonly TimeProvider _time;
    private readonly TracerProvider _provider;

    /// <param name="settings">Where they go, and how many.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="logger">Told when the collector does not take them.</param>
    public CallTraces(TraceSettings settings, TimeProvider time, ILogger<CallTraces> logger)
    {
        _time = time;
        _provider = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("orderengine", serviceVersion: Services.AdminService.Version))
            .SetSampler(new CallSampler(settings.OneIn, time))
            .AddSource(SourceName)
            .AddProcessor(new BatchActivityExportProcessor(new SpanExporter(settings, logger)))
            .Build();
        ActivitySource.AddActivityListener(_requests);
        ServerLog.TracesGo(logger, settings.Endpoint.AbsoluteUri, settings.OneIn);
    }

    /// <summary>Begins the span of a call; null: it is not traced.</summary>
    public CallTrace? Begin(ServerCallContext context)
    {
        if (!context.Method.StartsWith(RpcTable.Prefix, StringComparison.Ordinal)) return null;
        var request = Activity.Current;
        // Without a caller's span the trace is that of the framework's activity, so that exemplars name it.
        var parent = CallersSpan(context) ?? new ActivityContext(request?.TraceId ?? ActivityTraceId.CreateRandom(), default, ActivityTraceFlags.None);
        // A span without a parent would take the current activity for one.
        Activity.Current = null;
        var trace = Traced(_source.StartActivity(Name(context), ActivityKind.Server, parent), context, 0);
        if (trace is null)
        {
            Activity.Current = request;
            return null;
        }
        if (request?.TraceId == trace.Span.TraceId) request.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
        context.UserState[typeof(CallTrace)] = trace;
        return trace;
    }

    /// <summary>Begins the span of one message of a stream, a trace of its own that is linked to the caller's span; null: it is not traced.</summary>
    /// <param name="context">The stream.</param>
    /// <param name="commands">Commands in the message; the first of them is followed.</param>
    public CallTrace? BeginMessage(ServerCallContext context, int commands)
    {
        var around = Activity.Current;
        // Streams live for days: a trace of all of it would be of no use.
        Activity.Current = null;
        ActivityLink[]? links = CallersSpan(context) is { } caller ? [new ActivityLink(caller)] : null;
        var trace = Traced(_source.StartActivity(Name(context), ActivityKind.Server, default(ActivityContext), links: links), context, commands);
        Activity.Current = around;
        return trace;
    }

    /// <summary>Sends what is on its way.</summary>
    public void Dispose()
    {
        _requests.Dispose();
        _provider.Dispose();
        _source.Dispose();
    }

    private CallTrace? Traced(Activity? span, ServerCallContext context, int commands)
    {
        if (span is null) return null;
        if (span.Recorded) return new CallTrace(_source, span, context.Method, commands, _time);
        span.Dispose();
        return null;
    }

    private static string Name(ServerCallContext context) => context.Method[1..];

    // Nothing else of the caller's is taken: tracestate and baggage may hold anything.
    private static ActivityContext? CallersSpan(ServerCallContext context) =>
        ActivityContext.TryParse(context.GetHttpContext().Request.Headers.TraceParent, null, isRemote: true, out var parent) ? parent : null;
}
