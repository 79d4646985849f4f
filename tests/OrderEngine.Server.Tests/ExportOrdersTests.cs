// Proves through the wire: an export of orders shows every one as GetOrder and ListOrderEvents do, archived ones too, as all stood at one sequence; it goes on
// after a break, at that sequence, without gap or repeat; what cannot be read is named; personal data comes only when asked for, and never of the erased.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.State;
using OrderEngine.Journal;
using OrderEngine.Server.Services;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed partial class ExportOrdersTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orderengine-server-");
    private long _free = 1L << 40;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_export_shows_each_order_as_it_is_read_alone_archived_or_not()
    {
        var ids = new List<string>();
        await using (var server = await StartAsync())
        {
            await Shop.OpenAsync(server);
            await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C2", Details = new PersonalDetails { Name = "Cleo" } } });
            ids.Add(await Returning.DeliverAsync(server, Delivered("Ada")));
            var erased = Delivered("Cleo");
            erased.CustomerId = "C2";
            ids.Add(await Returning.DeliverAsync(server, erased));
            await server.Customers.RecordFeedbackAsync(new RecordFeedbackRequest { RequestId = Shop.NewId(), OrderId = ids[0], Rating = 4, Text = "Came wet." });
            await server.Orders.AddNoteAsync(new AddNoteRequest { RequestId = Shop.NewId(), OrderId = ids[0], Text = "He called." });
            await server.Customers.RecordFeedbackAsync(new RecordFeedbackRequest { RequestId = Shop.NewId(), OrderId = ids[1], Rating = 2, Text = "Came late." });
            await ArchiveAsync(server, 2);
            ids.Add((await server.Orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = Delivered("Bob") })).OrderId);
            await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = ids[2], Kind = HoldKind.Address, Reason = "NO_SUCH_STREET" });
            var lost = await Returning.DeliverAsync(server);
            await server.Returns.RequestReturnAsync(Returning.Request(lost, 1, 1));
            ids.Add(lost);
            ids.Add((await server.Orders.SubmitOrderAsync(Shop.Submit("EMPTY", 3, AllocationPolicy.PartialBackorder))).OrderId);
            await SameAsync(server);
            Assert.Equal("Ada", (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = ids[0], IncludeDelivery = true })).Delivery.Name);
            await server.Customers.EraseCustomerAsync(new EraseCustomerRequest { RequestId = Shop.NewId(), CustomerId = "C2" });
            await SameAsync(server);
        }
        await using var again = await StartAsync();
        var exported = await SameAsync(again);
        Assert.Equal((true, null, ""), (exported[1].Order.Erased, exported[1].Order.Delivery, exported[1].Order.Care.FeedbackText));
        Assert.Equal(("Ada", "Came wet.", "He called."), (exported[0].Order.Delivery.Name, exported[0].Order.Care.FeedbackText, exported[0].Order.Notes.Single().Text));
        var bare = await ReadAsync(again, new ExportOrdersRequest { States = { OrderState.Delivered } });
        Assert.Equal([ids[0], ids[1], ids[3]], bare.SelectMany(message => message.Orders).Select(one => one.Order.OrderId));
        Assert.All(bare.SelectMany(message => message.Orders), one => Assert.True(one.Events.Count == 0 && one.Order.Delivery is null));
        Assert.DoesNotContain("Came wet", string.Join(' ', bare), StringComparison.Ordinal);

        async Task<List<ExportedOrder>> SameAsync(TestServer server)
        {
            foreach (var personal in new[] { false, true })
            {
                var messages = await ReadAsync(server, new ExportOrdersRequest { IncludeHistory = true, IncludePersonalData = personal });
                var orders = messages.SelectMany(message => message.Orders).ToList();
                Assert.Equal(ids, orders.Select(one => one.Order.OrderId));
                Assert.Equal([true, true, false, false, false], orders.Select(one => one.Archived));
                Assert.Equal(ids.Count, messages[^1].End.Orders);
                Assert.All(messages, message => Assert.Equal(server.Service<Engine.Engine>().View.DurableSequence, message.Sequence));
                foreach (var one in orders)
                {
                    Assert.Equal(await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = one.Order.OrderId, IncludeDelivery = personal }), one.Order);
                    var history = await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = one.Order.OrderId, IncludePersonalData = personal });
                    Assert.Equal(history.Events, one.Events);
                }
                if (personal) return orders;
            }
            return [];
        }
    }

    [Fact]
    public async Task A_broken_export_goes_on_at_its_sequence_behind_the_last_whole_order()
    {
        const int count = 700;
        await using var server = await StartAsync();
        await Shop.OpenAsync(server);
        var ids = await FillAsync(server, count);
        var request = new ExportOrdersRequest { IncludeHistory = true };
        var whole = await ReadAsync(server, request);
        Assert.Contains(whole.SelectMany(message => message.Orders), one => one.MoreEvents);
        Assert.All(whole, message => Assert.InRange(message.CalculateSize(), 1, 2 * ServerLimits.StreamMessageBytes));
        var (expected, last) = (Merge(whole), "");
        Assert.Equal(ids, expected.Select(one => one.Order.OrderId));

        // One message a stream; meanwhile all that came before and all that is to come changes.
        var parts = new List<ExportedOrders>();
        for (var stream = 0; parts.Count == 0 || parts[^1].End is null; stream++)
        {
            Assert.True(stream < 50, "The export does not get on.");
            using var call = server.Orders.ExportOrders(new ExportOrdersRequest(request) { ResumeToken = last });
            Assert.True(await call.ResponseStream.MoveNext(default));
            parts.Add(call.ResponseStream.Current);
            last = parts[^1].ResumeToken;
            if (stream > 3) continue;
            foreach (var id in new[] { ids[stream], ids[^(stream + 1)], ids[350 + stream] }) await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = id });
            await server.Orders.SubmitOrderAsync(Shop.Submit());
        }
        Assert.All(parts, part => Assert.Equal(parts[0].Sequence, part.Sequence));
        Assert.Equal(expected, Merge(parts));
        Assert.Equal(count, parts[^1].End.Orders);
        // Also its end may be asked for again; what is asked for stays the same.
        var end = Assert.Single(await ReadAsync(server, new ExportOrdersRequest(request) { ResumeToken = last }));
        Assert.Equal((count, 0), (end.End.Orders, end.Orders.Count));
        Assert.Equal(["resume_token"], (await Refusal.ExpectAsync(() => ReadAsync(server, new ExportOrdersRequest { ResumeToken = last }))).Fields);
        _time.Advance(ServerLimits.ExportKept);
        Assert.Equal((StatusCode.OutOfRange, "EXPORT_ENDED"), await WhyAsync(() => ReadAsync(server, new ExportOrdersRequest(request) { ResumeToken = last })));
        Assert.NotEqual(expected, Merge(await ReadAsync(server, request)));
        Assert.Empty(Directory.GetFiles(server.DataDirectory, "export*"));
    }

    [Fact]
    public async Task Exports_are_few_and_the_idle_make_room()
    {
        await using var server = await StartAsync();
        var exports = server.Service<OrderExports>();
        var held = new List<KeptExport>();
        for (var client = 0; client < ServerLimits.OrderExports / ServerLimits.OrderExportsPerClient; client++)
        {
            for (var i = 0; i < ServerLimits.OrderExportsPerClient; i++) held.Add((await exports.BeginAsync(new OrderQuery(), $"c{client}", 1, default)).Export);
            Assert.Equal((StatusCode.ResourceExhausted, "ALREADY_RUNNING"), await WhyAsync(() => exports.BeginAsync(new OrderQuery(), $"c{client}", 1, default)));
        }
        Assert.Equal("ALREADY_RUNNING", (await WhyAsync(() => exports.BeginAsync(new OrderQuery(), "one more", 1, default))).Reason);
        exports.Leave(held[3]);
        exports.Leave(held[5]);
        // Another client's stays out of reach, and one that was idle longest goes.
        Assert.Equal("EXPORT_ENDED", (await WhyAsync(() => exports.ResumeAsync(held[3].Id, "c2", 1, default))).Reason);
        exports.Leave((await exports.BeginAsync(new OrderQuery(), "one more", 1, default)).Export);
        Assert.Equal("EXPORT_ENDED", (await WhyAsync(() => exports.ResumeAsync(held[3].Id, held[3].Owner, 1, default))).Reason);
        // Who takes over ends the stream before, and waits for it.
        var (first, takenOver) = await exports.ResumeAsync(held[5].Id, held[5].Owner, 1, default);
        var second = exports.ResumeAsync(held[5].Id, held[5].Owner, 1, default);
        Assert.True(takenOver.IsCancellationRequested);
        Assert.False(second.IsCompleted);
        exports.Leave(first);
        Assert.Same(first, (await second).Export);
    }

    [Fact]
    public async Task An_archived_order_that_cannot_be_read_ends_the_export_by_name()
    {
        await using var server = await StartAsync();
        await Shop.OpenAsync(server);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++) ids.Add(await Returning.DeliverAsync(server));
        await ArchiveAsync(server, 3);
        ids.Add((await Shop.OrderAsync(server)).OrderId);
        var segment = Path.Combine(server.DataDirectory, "archive", "000000.seg");
        var bytes = File.ReadAllBytes(segment);
        // In the second record: the first is shorter than all three by two thirds.
        bytes[112 + (bytes.Length - 112) / 2] ^= 1;
        File.WriteAllBytes(segment, bytes);
        var sent = new List<ExportedOrders>();
        var refusal = await Refusal.ExpectAsync(() => ReadAsync(server, new ExportOrdersRequest(), sent));
        Assert.Equal((StatusCode.DataLoss, "ARCHIVE_DAMAGED", ids[1]), (refusal.Code, refusal.Reason, refusal.Metadata["order_id"]));
        Assert.Equal([ids[0]], sent.SelectMany(message => message.Orders).Select(one => one.Order.OrderId));
        Assert.Null(sent[^1].End);
        // Without it only for who says so.
        Assert.Equal(ids[1], (await Refusal.ExpectAsync(() => ReadAsync(server, new ExportOrdersRequest { ResumeToken = sent[^1].ResumeToken }))).Metadata["order_id"]);
        var rest = await ReadAsync(server, new ExportOrdersRequest { ResumeToken = refusal.Metadata["resume_token"] });
        Assert.Equal([ids[2], ids[3]], rest.SelectMany(message => message.Orders).Select(one => one.Order.OrderId));
        Assert.Equal(3, rest[^1].End.Orders);
    }

    private Task<TestServer> StartAsync(TimeProvider? time = null) => TestServer.StartAsync(
        services => services.AddSingleton(time ?? _time).AddSingleton<Func<DiskSpace>>(() => new DiskSpace(Volatile.Read(ref _free), 0)), Path.Combine(_folder.FullName, "data"));

    private static OrderDraft Delivered(string name)
    {
        var draft = Shop.Draft(quantity: 5);
        draft.Delivery = new PersonalDetails { Name = name };
        return draft;
    }

    // Every tenth is long, and its history too, none as long as another: messages end anywhere, also between the two.
    private static async Task<List<string>> FillAsync(TestServer server, int count)
    {
        var ids = new List<string>();
        foreach (var chunk in Enumerable.Range(0, count).Chunk(100))
        {
            var bulk = new BulkSubmitOrdersRequest();
            foreach (var number in chunk)
            {
                var submit = Shop.Submit();
                var lines = number % 10 == 0 ? 1_000 + 37 * (number / 10 % 13) : 20;
                for (var line = 0; line < lines; line++) submit.Order.Lines.Add(new OrderLineDraft { SkuId = line % 2 == 0 ? "A" : "B", Quantity = 1, UnitPriceMinor = line });
                bulk.Requests.Add(submit);
            }
            ids.AddRange((await server.Orders.BulkSubmitOrdersAsync(bulk)).Results.Select(result => result.Accepted.OrderId));
        }
        return ids;
    }

    private async Task ArchiveAsync(TestServer server, int archived)
    {
        var engine = server.Service<Engine.Engine>();
        _time.Advance(TimeSpan.FromDays(31));
        await engine.Archiving;
        for (var i = 0; i < 40; i++)
        {
            await server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
            {
                RequestId = Shop.NewId(), LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1 } },
            });
        }
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await engine.Archiving);
        Assert.Equal(archived, engine.View.Summary.Archived);
    }

    private static async Task<List<ExportedOrders>> ReadAsync(TestServer server, ExportOrdersRequest request, List<ExportedOrders>? messages = null)
    {
        messages ??= [];
        using var call = server.Orders.ExportOrders(request);
        await ReadAsync(call, messages);
        return messages;
    }

    private static async Task ReadAsync(AsyncServerStreamingCall<ExportedOrders> call, List<ExportedOrders> messages)
    {
        while (await call.ResponseStream.MoveNext(default)) messages.Add(call.ResponseStream.Current);
    }

    // As a client puts them together: an order whose history was cut off by a break comes again.
    private static List<ExportedOrder> Merge(List<ExportedOrders> messages)
    {
        var whole = new List<ExportedOrder>();
        ExportedOrder? open = null;
        foreach (var part in messages.SelectMany(message => message.Orders))
        {
            if (part.Order is null) open!.Events.Add(part.Events);
            else open = part.Clone();
            if (part.MoreEvents) continue;
            open!.MoreEvents = false;
            whole.Add(open);
        }
        return whole;
    }

    private static async Task<(StatusCode Code, string Reason)> WhyAsync(Func<Task> call)
    {
        var refusal = await Refusal.ExpectAsync(call);
        return (refusal.Code, refusal.Reason);
    }
}
