// Traces as a collector gets them: from the caller's span through queue, decide, commit and answer; which calls, and what must not be in them.

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Access;
using OrderEngine.Server.Tests.Kit;
using OrderEngine.Server.Tests.Traces.Otlp;
using OrderEngine.Server.Traces;

namespace OrderEngine.Server.Tests.Traces;

// Spans of one source reach every collector in the process: one test at a time.
[Collection("collectors")]
public sealed class TraceTests
{
    private const int Never = 1_000_000;
    private const ulong Millisecond = 1_000_000;
    private static readonly string[] Steps = ["queue", "decide", "batch", "commit", "answer"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_is_one_trace_from_its_callers_span_to_its_answer(bool isHttp)
    {
        await using var collector = await Collector.StartAsync();
        var server = await StartAsync(collector, Never, isHttp);
        Activity caller;
        long sequence;
        await using (server)
        {
            await Shop.OpenAsync(server);
            using var client = new OrderEngineClient(server.Address);
            using (caller = Begin(isSampled: true))
            {
                caller.TraceStateString = "vendor=Quillfeather";
                caller.AddBaggage("buyer", "Quillfeather");
                sequence = (await client.SubmitAsync(Shop.Draft())).Accepted!.Sequence;
            }
        }

        var spans = collector.Of(caller.TraceId);
        var call = Assert.Single(spans, span => span.Name == "orderengine.v1.OrderService/SubmitOrder");
        Assert.Equal(caller.SpanId.ToHexString(), Collector.Hex(call.ParentSpanId));
        Assert.Equal(2, call.Kind);
        Assert.Equal("SubmitOrder", Collector.Attribute(call.Attributes, "orderengine.command"));
        Assert.Equal("Ok", Collector.Attribute(call.Attributes, "orderengine.outcome"));
        Assert.Equal($"{sequence}", Collector.Attribute(call.Attributes, "orderengine.sequence"));
        Assert.Equal("0", Collector.Attribute(call.Attributes, "rpc.grpc.status_code"));

        var steps = spans.Where(span => span != call).ToList();
        Assert.Equal(Steps, steps.Select(span => span.Name));
        Assert.All(steps, step => Assert.Equal(call.SpanId, step.ParentSpanId));
        // Without a gap, and within the call (but for what the two clocks differ by, wall clock and stopwatch).
        Assert.All(steps.Zip(steps.Skip(1)), pair => Assert.Equal(pair.First.EndTimeUnixNano, pair.Second.StartTimeUnixNano));
        Assert.True(steps[0].StartTimeUnixNano + Millisecond >= call.StartTimeUnixNano && steps[^1].EndTimeUnixNano <= call.EndTimeUnixNano + Millisecond);
        Assert.Equal("1", Collector.Attribute(steps[3].Attributes, "orderengine.batch.commands"));

        Assert.All(collector.All, one => Assert.Equal(("orderengine", "OrderEngine"), (Collector.Attribute(one.Resource.Attributes, "service.name"), one.Scope.Name)));
        Assert.All(collector.Messages, message => Assert.True(message.AsSpan().IndexOf("Quillfeather"u8) < 0));
    }

    [Fact]
    public async Task A_caller_that_does_not_trace_is_not_traced_and_others_are_drawn()
    {
        await using var collector = await Collector.StartAsync();
        Activity quiet;
        await using (var server = await StartAsync(collector, oneIn: 1))
        {
            await Shop.OpenAsync(server);
            using (quiet = Begin(isSampled: false))
            using (var client = new OrderEngineClient(server.Address)) await client.SubmitAsync(Shop.Draft());
            await Refusal.ExpectAsync(async () => await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = "nobody's" }));
        }
        Assert.Empty(collector.Of(quiet.TraceId));
        // Set up by calls without a caller's span: each the root of a trace of its own.
        var roots = collector.All.Select(one => one.Span).Where(span => span.Name.StartsWith("orderengine.v1.", StringComparison.Ordinal)).ToList();
        Assert.Equal(roots.Count, roots.Select(root => root.TraceId).Distinct().Count());
        Assert.All(roots, root => Assert.Empty(root.ParentSpanId));
        var refused = Assert.Single(roots, root => root.Name.EndsWith("/GetOrder", StringComparison.Ordinal));
        Assert.Equal($"{(int)Grpc.Core.StatusCode.NotFound}", Collector.Attribute(refused.Attributes, "rpc.grpc.status_code"));
        Assert.Equal(0, refused.Status?.Code ?? 0);
        Assert.Single(collector.Of(ActivityTraceId.CreateFromString(Collector.Hex(refused.TraceId))));
        // Health is nobody's trace.
        Assert.DoesNotContain(collector.All, one => one.Span.Name.Contains("Health", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_of_a_stream_is_a_trace_of_its_own_that_is_linked_to_the_callers()
    {
        await using var collector = await Collector.StartAsync();
        Activity caller;
        await using (var server = await StartAsync(collector, oneIn: 1))
        {
            await Shop.OpenAsync(server);
            using (caller = Begin(isSampled: true))
            {
                using var stream = server.Orders.StreamSubmitOrders(new Metadata { { "traceparent", caller.Id! } });
                for (var seq = 1UL; seq <= 4; seq += 2)
                {
                    await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest
                    {
                        Orders = { new StreamedOrder { ClientSeq = seq, Request = Shop.Submit() }, new StreamedOrder { ClientSeq = seq + 1, Request = Shop.Submit() } },
                    });
                    for (var answered = 0; answered < 2; answered += stream.ResponseStream.Current.Results.Count) Assert.True(await stream.ResponseStream.MoveNext(default));
                }
                await stream.RequestStream.CompleteAsync();
                Assert.False(await stream.ResponseStream.MoveNext(default));
            }
        }
        var messages = collector.All.Select(one => one.Span).Where(span => span.Name.EndsWith("/StreamSubmitOrders", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, messages.Count);
        foreach (var message in messages)
        {
            Assert.Empty(message.ParentSpanId);
            var link = Assert.Single(message.Links);
            Assert.Equal((caller.TraceId.ToHexString(), caller.SpanId.ToHexString()), (Collector.Hex(link.TraceId), Collector.Hex(link.SpanId)));
            Assert.Equal("2", Collector.Attribute(message.Attributes, "orderengine.message.commands"));
            var trace = collector.Of(ActivityTraceId.CreateFromString(Collector.Hex(message.TraceId)));
            Assert.Equal(Steps, trace.Where(span => span != message).Select(span => span.Name));
        }
        Assert.Empty(collector.Of(caller.TraceId));
    }

    [Fact]
    public async Task Who_is_not_let_in_is_not_traced_whatever_he_asks()
    {
        await using var collector = await Collector.StartAsync();
        Activity caller;
        await using (var keyed = await KeyedServer.StartAsync(settings => settings with { TraceTo = collector.Grpc, TraceOneIn = Never }))
        {
            using (caller = Begin(isSampled: true))
            {
                var wrong = new OrderService.OrderServiceClient(keyed.As("wrong"));
                await Refusal.ExpectAsync(async () => await wrong.SubmitOrderAsync(Shop.Submit(), new Metadata { { "traceparent", caller.Id! } }));
            }
        }
        Assert.Empty(collector.All);
    }

    [Fact]
    public async Task Exemplars_name_the_trace_for_who_asks_for_OpenMetrics()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await StartAsync(collector, Never);
        await Shop.OpenAsync(server);
        string trace;
        using (var caller = Begin(isSampled: true))
        using (var client = new OrderEngineClient(server.Address))
        {
            trace = caller.TraceId.ToHexString();
            await client.SubmitAsync(Shop.Draft());
        }
        using var http = new HttpClient();
        var classic = await http.GetAsync(new Uri(server.MetricsAddress));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", classic.Content.Headers.ContentType!.ToString());
        Assert.DoesNotContain(" # {", await classic.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // As Prometheus asks.
        http.DefaultRequestHeaders.Add("Accept", "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        string page;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        do
        {
            // The duration of a call counts when all of it is over, a moment after its caller has the answer.
            using var answer = await http.GetAsync(new Uri(server.MetricsAddress), patience.Token);
            Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
            page = await answer.Content.ReadAsStringAsync(patience.Token);
        }
        while (!page.Split('\n').Any(line => line.Contains(trace, StringComparison.Ordinal) && line.StartsWith("http_", StringComparison.Ordinal)));
        Assert.EndsWith("\n# EOF\n", page, StringComparison.Ordinal);
        Assert.Contains("# TYPE orderengine_commands counter\norderengine_commands_total{", page, StringComparison.Ordinal);
        Assert.Contains(",le=\"1.0\"}", page, StringComparison.Ordinal);
        foreach (var histogram in new[] { "http_server_request_duration_seconds", "orderengine_commit_duration_seconds" })
            Assert.Matches($"(?m)^{histogram}_bucket{{.*le=\"[0-9.e+-]+\"}} [0-9]+ # {{trace_id=\"{trace}\"}} [0-9.eE-]+ [0-9.]+$", page);

        // Who likes plain text better gets it.
        http.DefaultRequestHeaders.Remove("Accept");
        http.DefaultRequestHeaders.Add("Accept", "text/plain, application/openmetrics-text;q=0.3");
        Assert.Contains("text/plain", (await http.GetAsync(new Uri(server.MetricsAddress))).Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void No_more_calls_a_second_are_traced_than_the_bound()
    {
        var time = new ManualTime();
        var sampler = new CallSampler(Never, time);
        Assert.Equal(ServerLimits.TracedCallsPerSecond, Taken());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ServerLimits.TracedCallsPerSecond, Taken());

        int Taken() => Enumerable.Range(0, ServerLimits.TracedCallsPerSecond * 2).Count(_ => sampler.ShouldSample(new SamplingParameters(
            new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true), default, "call", ActivityKind.Server))
            .Decision == SamplingDecision.RecordAndSample);
    }

    [Fact]
    public async Task A_collector_that_is_away_is_said_once_and_once_again_when_it_is_back()
    {
        var log = new Captured();
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        using var exporter = new SpanExporter(new TraceSettings(new Uri($"http://127.0.0.1:{port}"), IsHttp: true, 1), log);
        for (var i = 0; i < 3; i++) Assert.Equal(ExportResult.Failure, exporter.Export(Spans()));
        Assert.Contains("does not take traces", Assert.Single(log.Lines), StringComparison.Ordinal);

        await using var collector = await Collector.StartAsync(port);
        for (var i = 0; i < 2; i++) Assert.Equal(ExportResult.Success, exporter.Export(Spans()));
        Assert.Equal(2, log.Lines.Count);
        Assert.Contains("takes traces again; 3 spans were lost", log.Lines[1], StringComparison.Ordinal);
        Assert.Equal(2, collector.All.Count);

        static Batch<Activity> Spans()
        {
            using var span = new Activity("call").Start();
            return new Batch<Activity>([span], 1);
        }
    }

    [Theory]
    [InlineData("TraceTo", "collector:4317")]
    [InlineData("TraceTo", "http://me:secret@collector:4317")]
    [InlineData("TraceTo", "")]
    [InlineData("TraceProtocol", "json")]
    [InlineData("TraceOneIn", "0")]
    public void A_wrong_setting_of_traces_stops_the_start(string name, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["OrderEngine:" + name] = value }).Build();
        Assert.False(ServerOptions.TryRead(configuration, out _, out var problems));
        Assert.Contains($"OrderEngine:{name} is ", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Off_there_is_nothing_of_it()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Null(server.Service<EngineCalls>().Traces);
    }

    private static Task<TestServer> StartAsync(Collector collector, int oneIn, bool isHttp = false) => TestServer.StartAsync(options: settings =>
        settings with { TraceTo = isHttp ? collector.Http : collector.Grpc, TraceProtocol = isHttp ? TraceSettings.Http : "grpc", TraceOneIn = oneIn });

    private static Activity Begin(bool isSampled)
    {
        Activity.Current = null;
        var activity = new Activity("the adapter's").SetIdFormat(ActivityIdFormat.W3C);
        activity.ActivityTraceFlags = isSampled ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None;
        return activity.Start();
    }
}

/// <summary>A log that keeps its lines.</summary>
internal sealed class Captured : ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // The texts and every value that went into them: a structured log keeps both.
        var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs.Select(pair => pair.Value)) : "";
        lock (_lines) _lines.Add($"{logLevel} {formatter(state, exception)} {values} {exception}");
    }
}
