// The process's life: recovering, serving, stopping, starting again; its settings, its metrics, its errors' catalogue.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class LifeTests
{
    [Theory]
    [InlineData(50, 100, 100)]
    [InlineData(150, 100, 150)]
    public async Task While_the_engine_recovers_status_health_and_metrics_answer_and_nothing_else(long done, long known, long total)
    {
        using var go = new ManualResetEventSlim();
        await using var server = await TestServer.ListenAsync(services => services.AddSingleton<OpenJournal>(_ => (directory, from, replay, progress) =>
        {
            progress.Report(new RecoveryProgress(done, known, 7, 1));
            go.Wait();
            return FasterJournal.Open(new JournalOptions { Directory = directory }, from, replay, progress);
        }));

        await server.WaitAsync(Serving.NotServing);
        EngineStatus status;
        do status = await server.StatusAsync();
        while (status.RecoveryTotalBytes == 0);
        var refusal = await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(Shop.Submit()));
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(server.MetricsAddress);

        Assert.Equal((EnginePhase.Recovering, done, total), (status.Phase, status.RecoveredBytes, status.RecoveryTotalBytes));
        Assert.Equal((StatusCode.Unavailable, "ENGINE_RECOVERING"), (refusal.Code, refusal.Reason));
        Assert.True(refusal.Retry > TimeSpan.Zero);
        Assert.Contains("\norderengine_phase 1\n", metrics, StringComparison.Ordinal);

        go.Set();
        await server.WaitAsync(Serving.Serving);
        await Shop.OpenAsync(server);
        Assert.Equal(OrderState.Ready, (await Shop.OrderAsync(server)).State);
    }

    [Fact]
    public async Task A_stop_answers_what_is_in_flight_and_ends_streams_so_that_clients_come_back()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        await using var server = await TestServer.StartAsync(directory: directory);
        await Shop.OpenAsync(server);
        using var watch = server.Tracking.WatchOrders(new WatchOrdersRequest());
        await watch.ResponseStream.MoveNext(default);
        using var stream = server.Orders.StreamSubmitOrders();
        var message = new StreamSubmitOrdersRequest();
        for (ulong seq = 1; seq <= 500; seq++) message.Orders.Add(new StreamedOrder { ClientSeq = seq, Request = Shop.Submit() });
        await stream.RequestStream.WriteAsync(message);
        await stream.ResponseStream.MoveNext(default);
        var answered = stream.ResponseStream.Current.Results.Count;

        var stopping = server.StopAsync();
        var end = await Refusal.ExpectAsync(async () =>
        {
            while (await stream.ResponseStream.MoveNext(default)) answered += stream.ResponseStream.Current.Results.Count;
        });
        var watchEnd = await Refusal.ExpectAsync(async () =>
        {
            while (await watch.ResponseStream.MoveNext(default)) { }
        });
        await stopping;

        Assert.True(end.Reason == "ENGINE_DRAINING", end.Reason);
        Assert.Equal((StatusCode.Unavailable, "ENGINE_DRAINING"), (watchEnd.Code, watchEnd.Reason));
        // Of the message some orders may not have been taken any more: those that were have their answers.
        await server.DisposeAsync();
        await using (var again = await TestServer.StartAsync(directory: directory)) Assert.Equal((await again.StatusAsync()).Orders, answered);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_stream_answers_every_order_that_is_on_disk()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        try
        {
            long answered = 0;
            await using (var server = await TestServer.StartAsync(directory: directory))
            {
                await Shop.OpenAsync(server);
                using var stream = server.Orders.StreamSubmitOrders();
                // Nobody reads: the answers pile up to their bound, and the server stands between a command and its place among them.
                var sending = SendUntilRefusedAsync(stream.RequestStream);
                await WhenOrdersStandStillAsync(server);

                var stopping = server.StopAsync();
                var end = await Refusal.ExpectAsync(async () =>
                {
                    while (await stream.ResponseStream.MoveNext(default))
                        answered += stream.ResponseStream.Current.Results.Count(result => result.Accepted is not null);
                });
                await stopping;
                Assert.Equal("ENGINE_DRAINING", end.Reason);
                await sending;
            }

            await using var again = await TestServer.StartAsync(directory: directory);
            Assert.Equal((await again.StatusAsync()).Orders, answered);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        static async Task SendUntilRefusedAsync(IClientStreamWriter<StreamSubmitOrdersRequest> requests)
        {
            try
            {
                for (ulong seq = 1; ;)
                {
                    var message = new StreamSubmitOrdersRequest();
                    for (var i = 0; i < 500; i++) message.Orders.Add(new StreamedOrder { ClientSeq = seq++, Request = Shop.Submit() });
                    await requests.WriteAsync(message);
                }
            }
            catch (Exception ended) when (ended is RpcException or InvalidOperationException)
            {
                // The server has ended the stream.
            }
        }

        static async Task WhenOrdersStandStillAsync(TestServer server)
        {
            long last = 0;
            for (var same = 0; same < 300; same++)
            {
                var now = (await server.StatusAsync()).Orders;
                if (now != last || now == 0) (last, same) = (now, 0);
            }
        }
    }

    [Fact]
    public async Task A_server_that_starts_again_has_the_same_state_and_replays_the_same_answers()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        try
        {
            var request = Shop.Submit();
            SubmitOrderResponse first;
            EngineStatus before;
            string token;
            await using (var server = await TestServer.StartAsync(directory: directory))
            {
                await Shop.OpenAsync(server);
                using var watch = server.Tracking.WatchOrders(new WatchOrdersRequest());
                await watch.ResponseStream.MoveNext(default);
                token = watch.ResponseStream.Current.ResumeToken;
                first = await server.Orders.SubmitOrderAsync(request);
                before = await server.StatusAsync();
            }

            await using var again = await TestServer.StartAsync(directory: directory);
            var after = await again.StatusAsync();
            var replayed = await again.Orders.SubmitOrderAsync(request);
            using var resumed = again.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = token });
            await resumed.ResponseStream.MoveNext(default);
            await resumed.ResponseStream.MoveNext(default);

            Assert.Equal((before.Sequence, before.StateHash, before.Orders, before.Stock), (after.Sequence, after.StateHash, after.Orders, after.Stock));
            Assert.True(replayed.Replayed);
            replayed.Replayed = false;
            Assert.Equal(first, replayed);
            Assert.Equal(first.Sequence, Assert.Single(resumed.ResponseStream.Current.Events.Events).Sequence);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Invariants_hold_and_an_export_into_an_empty_engine_gives_the_same()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var guest = Shop.Submit();
        guest.Order.Delivery = new PersonalDetails { Name = "Guest" };
        var guestOrder = await server.Orders.SubmitOrderAsync(guest);
        await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C2", Details = new PersonalDetails { Name = "Known" } } });
        await Shop.OrderAsync(server, "B", 3);
        var verified = await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest());
        var status = await server.StatusAsync();

        await using var copy = await TestServer.StartAsync();
        using (var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1, IncludePersonalData = true }))
        using (var import = copy.Admin.ImportEvents())
        {
            while (await export.ResponseStream.MoveNext(default))
                await import.RequestStream.WriteAsync(new ImportEventsRequest { Events = { export.ResponseStream.Current.Events } });
            await import.RequestStream.CompleteAsync();
            var imported = await import;
            Assert.Equal((status.Sequence, status.Sequence), (imported.Sequence, imported.Events));
        }

        Assert.Empty(verified.Violations);
        Assert.Equal((2, 4), (verified.OrdersChecked, verified.StockLevelsChecked));
        var copied = await copy.StatusAsync();
        Assert.Equal((status.Orders, status.Stock), (copied.Orders, copied.Stock));
        Assert.Equal(await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = guestOrder.OrderId, IncludeDelivery = true }),
            await copy.Orders.GetOrderAsync(new GetOrderRequest { OrderId = guestOrder.OrderId, IncludeDelivery = true }));
        Assert.Equal("Known", (await copy.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C2", IncludeDetails = true })).Details.Name);
        Assert.Equal("ENGINE_NOT_EMPTY", (await Refusal.ExpectAsync(async () =>
        {
            using var second = copy.Admin.ImportEvents();
            await second.RequestStream.CompleteAsync();
            await second;
        })).Reason);
    }

    [Fact]
    public async Task An_import_that_does_not_fit_names_the_event_and_writes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        using var import = server.Admin.ImportEvents();
        await import.RequestStream.WriteAsync(new ImportEventsRequest
        {
            Events =
            {
                new Contracts.Journal.Event { Sequence = 1, Time = 1, SkuDefined = new Contracts.Journal.SkuDefined { Sku = 1, SkuId = "A" } },
                new Contracts.Journal.Event { Sequence = 3, Time = 1, SkuDefined = new Contracts.Journal.SkuDefined { Sku = 2, SkuId = "B" } },
            },
        });
        await import.RequestStream.CompleteAsync();

        var refusal = await Refusal.ExpectAsync(async () => await import);

        Assert.Equal(["events[1]"], refusal.Fields);
        Assert.Equal(0, (await server.StatusAsync()).Sequence);
    }

    [Fact]
    public async Task Personal_data_without_a_key_is_never_imported_in_the_clear()
    {
        await using var server = await TestServer.StartAsync();
        using var import = server.Admin.ImportEvents();
        var details = new Contracts.Journal.Sealed { Plaintext = new PersonalDetails { Name = "Clear" }.ToByteString() };
        await import.RequestStream.WriteAsync(new ImportEventsRequest
        {
            Events =
            {
                new Contracts.Journal.Event
                {
                    Sequence = 1, Time = 1, CustomerDefined = new Contracts.Journal.CustomerDefined { Customer = 1, CustomerId = "C", Details = details },
                },
            },
        });
        await import.RequestStream.CompleteAsync();

        Assert.Equal(["events[0]"], (await Refusal.ExpectAsync(async () => await import)).Fields);
    }

    [Fact]
    public async Task Metrics_are_text_that_Prometheus_reads()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var request = Shop.Submit();
        for (var i = 0; i < 3; i++) await server.Orders.SubmitOrderAsync(request);
        for (var i = 0; i < 4; i++) await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Draft() });
        using var http = new HttpClient();
        using var response = await http.GetAsync(server.MetricsAddress);
        var lines = (await response.Content.ReadAsStringAsync()).Split('\n');

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("", lines[^1]);
        var types = new Dictionary<string, string>();
        foreach (var line in lines[..^1])
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) Assert.True(types.TryAdd(line.Split(' ')[2], line.Split(' ')[3]), line);
            if (line.StartsWith('#')) continue;
            Assert.Matches("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+([eE][-+]?[0-9]+)?|[+-]Inf|NaN)$""", line);
        }
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Ok\"} 1", lines);
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Replayed\"} 2", lines);
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Checked\"} 4", lines);
        Assert.Contains("orderengine_orders 1", lines);
        Assert.Equal("histogram", types["orderengine_commit_duration_seconds"]);
        Assert.Equal("counter", types["orderengine_commands_total"]);
        Assert.Equal("gauge", types["orderengine_queue_length"]);
        Assert.Contains(lines, line => line.StartsWith("orderengine_commit_duration_seconds_bucket{le=\"+Inf\"}", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("http_server_request_duration_seconds_bucket{", StringComparison.Ordinal));
        Assert.Contains(types.Keys, name => name.StartsWith("dotnet_process_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_min_sequence_that_does_not_come_is_told_as_that()
    {
        var time = new ManualTime();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        var reading = Refusal.ExpectAsync(async () => await server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A", MinSequence = 5 }));
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(60));
            await server.StatusAsync();
        }
        var refusal = await reading;

        Assert.Equal((StatusCode.DeadlineExceeded, "DEADLINE_PASSED"), (refusal.Code, refusal.Reason));
        Assert.Equal(("5", "0"), (refusal.Metadata["min_sequence"], refusal.Metadata["durable_sequence"]));
    }

    [Fact]
    public async Task The_log_leaves_out_what_clients_do_wrong_and_keeps_what_the_server_does_wrong()
    {
        await using var app = Composition.Build(WebApplication.CreateBuilder(), new ServerOptions { MetricsPort = 0 });
        var logs = app.Services.GetRequiredService<ILoggerFactory>();

        Assert.False(logs.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler").IsEnabled(LogLevel.Critical));
        Assert.False(logs.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Http2").IsEnabled(LogLevel.Critical));
        Assert.True(logs.CreateLogger(typeof(CallGuard).FullName!).IsEnabled(LogLevel.Error));
        Assert.True(logs.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").IsEnabled(LogLevel.Error));
    }

    [Fact]
    public void A_family_that_comes_twice_stands_in_one_place_under_one_head()
    {
        var text = new PrometheusText();
        text.Family("a", "", "gauge");
        text.Sample("a", "port=\"1\"", 1);
        text.Family("b", "", "gauge");
        text.Sample("b", "", 2);
        text.Family("a", "", "gauge");
        text.Sample("a", "port=\"2\"", 3);
        Assert.Equal("# TYPE a gauge\na{port=\"1\"} 1\na{port=\"2\"} 3\n# TYPE b gauge\nb 2\n", text.ToString());
    }

    [Fact]
    public void Names_labels_and_numbers_are_written_as_Prometheus_has_them()
    {
        var text = new PrometheusText();
        text.Family("a_total", "Back\\slash\nand line", "counter");
        var labels = new System.Text.StringBuilder();
        PrometheusText.Label(labels, "http.route", "say \"hi\"\\\n");
        text.Sample("a_total", labels.ToString(), double.PositiveInfinity);

        Assert.Equal("# HELP a_total Back\\\\slash\\nand line\n# TYPE a_total counter\na_total{http_route=\"say \\\"hi\\\"\\\\\\n\"} +Inf\n", text.ToString());
        Assert.Equal("orderengine_batch_size_bytes", PrometheusText.Name("orderengine.batch.size", "By", isCounter: false));
        Assert.Equal("a_seconds_total", PrometheusText.Name("a", "s", isCounter: true));
        Assert.Equal("dotnet_timer", PrometheusText.Name("dotnet.timer.count", "{timer}", isCounter: false));
        Assert.Equal("_1_2", PrometheusText.Name("1-2", null, isCounter: false));
    }

    [Theory]
    [InlineData("MetricsPort", "http", "OrderEngine:MetricsPort is 'http'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("MetricsPort", "65536", "OrderEngine:MetricsPort is '65536'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("MetricsPort", "-1", "OrderEngine:MetricsPort is '-1'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("DataDirectory", " ", "OrderEngine:DataDirectory is empty. Give a directory, or leave the setting out for 'data'.")]
    [InlineData("NormalQueueCapacity", "0", "OrderEngine:NormalQueueCapacity is '0'. Give a whole number from 1 to 1000000, or leave the setting out for 4096.")]
    [InlineData("MetricPort", "1", "OrderEngine:MetricPort is not a setting. The settings are")]
    public void A_wrong_setting_is_named_with_the_way_to_mend_it(string name, string value, string problem)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"OrderEngine:{name}", value)]).Build();

        Assert.False(ServerOptions.TryRead(configuration, out _, out var problems));
        Assert.StartsWith(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_settings_the_defaults_are_sound()
    {
        Assert.True(ServerOptions.TryRead(new ConfigurationBuilder().Build(), out var options, out _));
        Assert.Equal(("data", 9464), (options.DataDirectory, options.MetricsPort));
        Assert.Empty(options.Engine.Problems());
    }

    [Fact]
    public void Every_reason_has_its_entry_and_every_outcome_is_a_reason_that_binds_alike()
    {
        foreach (var reason in Enum.GetValues<ErrorReason>())
        {
            if (reason == ErrorReason.Unspecified) continue;
            var entry = Errors.Entry(reason);
            Assert.NotEqual(Google.Rpc.Code.Ok, entry.Status);
            Assert.NotEmpty(entry.Cause);
            Assert.NotEmpty(entry.Action);
            var status = Errors.Status(reason);
            Assert.Equal((int)entry.Status, status.Code);
            Assert.Equal(entry.Retry, Refusal.Of(status).Retry is not null);
        }
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            if (outcome == Outcome.Ok) continue;
            var reason = (ErrorReason)outcome;
            Assert.True(Enum.IsDefined(reason), outcome.ToString());
            Assert.Equal(outcome.ToString(), reason.ToString());
            Assert.Equal(Errors.Entry(reason).Binds, outcome.Binds());
        }
    }

    [Fact]
    public void A_token_reads_back_and_a_spoiled_one_does_not()
    {
        var token = new Token(TokenKind.Orders, 123_456, 7, 99).ToString();
        var violations = new Violations();
        Assert.Equal(new Token(TokenKind.Orders, 123_456, 7, 99), Token.Read(ref violations, "t", token, TokenKind.Orders, 99));
        Assert.False(violations.Any);
        foreach (var (spoiled, kind, scope) in new[] { (token, TokenKind.Stock, 99UL), (token, TokenKind.Orders, 98UL), (token[..^2], TokenKind.Orders, 99UL), ("B" + token[1..], TokenKind.Orders, 99UL), (token + "AA", TokenKind.Orders, 99UL) })
        {
            var found = new Violations();
            Token.Read(ref found, "t", spoiled, kind, scope);
            Assert.True(found.Any, spoiled);
        }
    }
}
