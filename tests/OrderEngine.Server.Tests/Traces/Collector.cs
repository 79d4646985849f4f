// A collector as OpenTelemetry's protocol describes it, over gRPC and over HTTP: keeps what arrives, decoded and as it came.

using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Server.Tests.Traces.Otlp;

namespace OrderEngine.Server.Tests.Traces;

internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<(Resource Resource, Scope Scope, Span Span)> _spans = [];
    private readonly List<byte[]> _messages = [];

    private Collector(WebApplication app) => _app = app;

    public Uri Grpc => new(_app.Urls.First());

    public Uri Http => new(_app.Urls.Last());

    /// <summary>The messages, each as its bytes.</summary>
    public IReadOnlyList<byte[]> Messages
    {
        get
        {
            lock (_spans) return [.. _messages];
        }
    }

    /// <summary>Starts one.</summary>
    /// <param name="httpPort">Where it takes HTTP; 0: a free one.</param>
    public static async Task<Collector> StartAsync(int httpPort = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(System.Net.IPAddress.Loopback, httpPort, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc();
        Collector? collector = null;
        builder.Services.AddSingleton(_ => new Service(collector!));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        app.MapPost("/v1/traces", async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            collector!.Take(ExportTraceServiceRequest.Parser.ParseFrom(body.ToArray()), body.ToArray());
            context.Response.ContentType = "application/x-protobuf";
        });
        collector = new Collector(app);
        await app.StartAsync();
        return collector;
    }

    /// <summary>The spans of one trace, the earliest first.</summary>
    public IReadOnlyList<Span> Of(ActivityTraceId trace)
    {
        lock (_spans) return [.. _spans.Select(one => one.Span).Where(span => Hex(span.TraceId) == trace.ToHexString()).OrderBy(span => span.StartTimeUnixNano)];
    }

    /// <summary>All spans.</summary>
    public IReadOnlyList<(Resource Resource, Scope Scope, Span Span)> All
    {
        get
        {
            lock (_spans) return [.. _spans];
        }
    }

    public static string Hex(ByteString id) => Convert.ToHexStringLower(id.Span);

    public static string? Attribute(IEnumerable<KeyValue> attributes, string key) => attributes.FirstOrDefault(one => one.Key == key)?.Value switch
    {
        null => null,
        { ValueCase: AnyValue.ValueOneofCase.IntValue } number => $"{number.IntValue}",
        { ValueCase: AnyValue.ValueOneofCase.BoolValue } flag => $"{flag.BoolValue}",
        var text => text.StringValue,
    };

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private void Take(ExportTraceServiceRequest request, byte[] bytes)
    {
        lock (_spans)
        {
            _messages.Add(bytes);
            foreach (var resource in request.ResourceSpans)
                foreach (var scope in resource.ScopeSpans)
                    foreach (var span in scope.Spans) _spans.Add((resource.Resource, scope.Scope, span));
        }
    }

    private sealed class Service(Collector collector) : TraceService.TraceServiceBase
    {
        public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
        {
            // Fields that the tests do not name are kept as they came, so this is what came.
            collector.Take(request, request.ToByteArray());
            return Task.FromResult(new ExportTraceServiceResponse());
        }
    }
}
