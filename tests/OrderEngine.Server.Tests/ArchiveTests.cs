// Proves through the wire: an order that left memory is read as before, by its id and its external id, with its history and personal data; its external id
// stays taken; a change brings it back; a backup carries it, and one restored to before shows it as it was then.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Journal.Offline;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ArchiveTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orderengine-server-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_archived_order_is_served_as_before_and_comes_back_for_a_change()
    {
        var submit = Shop.Submit();
        submit.Order.Delivery = new PersonalDetails { Name = "Ada" };
        string id;
        Order before;
        ListOrderEventsResponse history;
        await using (var server = await StartAsync("data"))
        {
            await Shop.OpenAsync(server);
            (id, before, history) = await ArchivedAsync(server, submit);
            await SameAsync(server);
            Assert.DoesNotContain((await server.Orders.ListOrdersAsync(new ListOrdersRequest())).Orders, order => order.OrderId == id);
            var metrics = await new HttpClient().GetStringAsync(new Uri(server.MetricsAddress));
            Assert.Contains("orderengine_archive_orders 1", metrics, StringComparison.Ordinal);
            Assert.Matches("orderengine_archive_size_bytes [1-9]", metrics);
        }
        await using (var server = await StartAsync("data"))
        {
            await SameAsync(server);
            await server.Orders.AddNoteAsync(new AddNoteRequest { RequestId = Shop.NewId(), OrderId = id, Text = "He called." });
            var now = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id, IncludeDelivery = true });
            Assert.Equal(("Ada", "He called."), (now.Delivery.Name, now.Notes.Single().Text));
            var events = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = id })).Events;
            Assert.Equal(history.Events, events.Take(history.Events.Count));
            Assert.Equal(history.Events.Count + 2, events.Count);
            Assert.Contains((await server.Orders.ListOrdersAsync(new ListOrdersRequest())).Orders, order => order.OrderId == id);
            Assert.Empty((await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
        }

        async Task SameAsync(TestServer server)
        {
            Assert.Equal(before, await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id, IncludeDelivery = true }));
            Assert.Equal(before, await server.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = submit.Order.ExternalOrderId, IncludeDelivery = true }));
            Assert.Equal(history, await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = id }));
            Assert.Equal(id, (await server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = id })).OrderId);
            var again = submit.Clone();
            again.RequestId = Shop.NewId();
            var refused = await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(again));
            Assert.Equal((StatusCode.AlreadyExists, "EXTERNAL_ID_TAKEN"), (refused.Code, refused.Reason));
            Assert.False((await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = again.Order })).Acceptable);
        }
    }

    [Fact]
    public async Task A_backup_carries_the_archive_and_goes_back_to_before_it()
    {
        var submit = Shop.Submit();
        string id;
        Order before;
        long then;
        BackupManifest manifest;
        var backup = Path.Combine(_folder.FullName, "backup");
        await using (var server = await StartAsync("data"))
        {
            await Shop.OpenAsync(server);
            (id, before, _) = await ArchivedAsync(server, submit);
            then = before.Sequence;
            await ArchivedAsync(server, Shop.Submit());
            manifest = await BackUpAsync(server, backup);
        }
        Assert.True(DirectoryVerifier.Verify(Path.Combine(_folder.FullName, "data")).IsIntact);
        foreach (var (name, to) in new[] { ("whole", manifest.LastSequence), ("then", then) })
        {
            BackupReader.Open(backup).Restore(Path.Combine(_folder.FullName, name), to, Path.Combine(_folder.FullName, "data", "keys"));
            await using var restored = await StartAsync(name);
            var status = await restored.StatusAsync();
            if (to == manifest.LastSequence) Assert.Equal(manifest.StateHash, status.StateHash);
            Assert.Equal(to == then ? 0 : 2, restored.Service<Engine.Engine>().View.Summary.Archived);
            Assert.Equal(before, await restored.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id }));
            // What the engine that went on accepted later is free here.
            var again = submit.Clone();
            again.RequestId = Shop.NewId();
            Assert.Equal("EXTERNAL_ID_TAKEN", (await Refusal.ExpectAsync(async () => await restored.Orders.SubmitOrderAsync(again))).Reason);
            await restored.Orders.SubmitOrderAsync(Shop.Submit());
        }
        // A backup whose archive is damaged is none.
        var segment = Path.Combine(backup, "archive", "000000.seg");
        var bytes = File.ReadAllBytes(segment);
        bytes[^1] ^= 1;
        File.WriteAllBytes(segment, bytes);
        Assert.Throws<JournalException>(() => BackupReader.Open(backup).Verify());
    }

    [Fact]
    public async Task A_backup_that_takes_too_long_ends_with_a_reason_and_the_next_one_is_whole()
    {
        await using var server = await StartAsync("data");
        await Shop.OpenAsync(server);
        var slow = new SlowReader(() => _time.Advance(ServerLimits.LongestBackup / 2));
        using var call = new Abuse.DirectCall("/orderengine.v1.AdminService/CreateBackup");

        var thrown = await Assert.ThrowsAnyAsync<RpcException>(() => server.Service<Services.AdminService>().CreateBackup(new CreateBackupRequest(), slow, call));

        Assert.Equal((StatusCode.DeadlineExceeded, "DEADLINE_PASSED"), (thrown.StatusCode, Refusal.Of(thrown).Reason));
        Assert.Contains("6 hours", thrown.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(2, slow.Parts);
        Assert.Equal((await server.StatusAsync()).StateHash, (await BackUpAsync(server, Path.Combine(_folder.FullName, "backup"))).StateHash);
    }

    /// <summary>Takes its time for each part.</summary>
    private sealed class SlowReader(Action pause) : IServerStreamWriter<BackupPart>
    {
        public int Parts { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(BackupPart message)
        {
            Parts++;
            pause();
            return Task.CompletedTask;
        }

        public Task WriteAsync(BackupPart message, CancellationToken cancellationToken) => WriteAsync(message);
    }

    private Task<TestServer> StartAsync(string name) =>
        TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(_time), Path.Combine(_folder.FullName, name));

    /// <summary>Submits and cancels an order, and waits until it has left memory.</summary>
    private async Task<(string Id, Order Order, ListOrderEventsResponse History)> ArchivedAsync(TestServer server, SubmitOrderRequest submit)
    {
        var engine = server.Service<Engine.Engine>();
        var archived = engine.View.Summary.Archived;
        var id = (await server.Orders.SubmitOrderAsync(submit)).OrderId;
        await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = id });
        var before = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id, IncludeDelivery = true });
        var history = await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = id });
        // The clock stands still while a commit is on its way: it would be overdue.
        _time.Advance(TimeSpan.FromDays(31));
        await engine.Archiving;
        for (var i = 0; i < 30; i++)
        {
            await server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
            {
                RequestId = Shop.NewId(), LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1 } },
            });
        }
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await engine.Archiving);
        Assert.Equal(archived + 1, engine.View.Summary.Archived);
        return (id, before, history);
    }

    private static async Task<BackupManifest> BackUpAsync(TestServer server, string directory)
    {
        BackupWriter? writer = null;
        try
        {
            using var call = server.Admin.CreateBackup(new CreateBackupRequest());
            while (await call.ResponseStream.MoveNext(default))
            {
                var part = call.ResponseStream.Current;
                if (part.Beginning is { } beginning) writer = new BackupWriter(directory, new Guid(beginning.CreationId.Span), beginning.FirstSequence);
                else if (part.Snapshot is { } snapshot) writer!.AddSnapshot(snapshot.Sequence, snapshot.Data.Span);
                else if (part.Archive is { } archive) writer!.AddArchive(archive.Segment, archive.Data.Span);
                else if (part.Batch is { } batch) writer!.Add(new JournalBatch(batch.Epoch, batch.FirstSequence, batch.LastSequence, batch.Events.Memory));
                else return writer!.Complete(part.End.LastSequence, part.End.StateHash, part.End.HighestKey, DateTime.UtcNow);
            }
            throw new InvalidOperationException("The backup has no end.");
        }
        finally
        {
            writer?.Dispose();
        }
    }
}
