// Proves: of a person who was erased nothing is left, in no file of the data directory and in no answer: not the words, nor the keys that opened
// them; also after snapshots, a cut of the journal, a restart and a kill. Everybody else is still there.
using System.Text;
using Google.Protobuf;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ErasureTests(ITestOutputHelper log)
{
    private const int KeysHeader = 4_096, KeySlot = 64, KeyStart = 24, KeyBytes = 32;
    // More than one segment of the journal, in orders of the most lines.
    private const int FillBytes = 40 * 1024 * 1024, LinesPerOrder = 2_000, OrdersPerBulk = 20;

    [Fact]
    public async Task Nothing_of_an_erased_person_is_left_in_any_file_or_answer()
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__StreamHistoryEvents"] = "0" });
        using var client = server.Connect();
        await OpenAsync(client);
        var customer = await PersonAsync(client, "C1", "Zsuzsanna Quillfeather");
        var guest = await PersonAsync(client, "", "Okonkwo Thistledown");
        var innocent = await PersonAsync(client, "C2", "Bartholomew Underwood");
        await client.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());

        // The search finds what is there: the words in answers, the keys in their file, and neither anywhere else.
        var (answers, keys) = await AnswersAsync(server, client, customer, guest, innocent);
        foreach (var word in customer.Words.Concat(guest.Words).Concat(innocent.Words)) Assert.True(answers.Holds(word), $"'{word}' is in no answer before anybody was erased.");
        var secrets = await SecretsAsync(server, keys);
        Assert.Equal(3, secrets.Count);
        foreach (var secret in secrets.Values) Assert.Equal(["keys"], Files(server).Where(file => Holds(file.Bytes, secret)).Select(file => file.Name));

        (await server.OrderctlAsync("customer", "erase", "C1", "--yes", "--reason", "ASKED_BY_PERSON")).Succeeded();
        (await server.OrderctlAsync("order", "erase", guest.OrderId, "--yes")).Succeeded();
        var again = await client.Customers.EraseCustomerAsync(new EraseCustomerRequest { CustomerId = "C1" });
        Assert.True(again.AlreadyErased);
        await CheckAsync();
        Assert.NotNull((await client.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C1", IncludeDetails = true })).EraseTime);
        var order = await client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = customer.OrderId, IncludeDelivery = true });
        Assert.Equal((true, null, 2, 5), (order.Erased, order.Delivery, order.Notes.Count, order.Care.Rating));
        var refused = await Assert.ThrowsAsync<OrderEngineException>(async () => await client.Orders.AddNoteAsync(new AddNoteRequest { OrderId = customer.OrderId, Text = "once more" }));
        Assert.Equal("PERSON_ERASED", refused.Error.ReasonName);

        // Snapshots, and the journal cut below the older of them.
        await FillAsync(client);
        for (var i = 0; i < 2; i++)
        {
            await client.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
            await client.Orders.AddNoteAsync(new AddNoteRequest { OrderId = innocent.OrderId, Text = $"note {i}" });
        }
        var cut = await client.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        Assert.True(cut.JournalFirstSequence > again.Sequence, $"The journal begins at {cut.JournalFirstSequence}, before the erasure.");
        await CheckAsync();

        await server.StopAsync();
        CheckFiles();
        var dumped = await Orderctl.RunAsync("journal", "dump", server.DataDirectory);
        Assert.DoesNotContain(customer.Words.Concat(guest.Words), word => dumped.Output.Contains(word, StringComparison.Ordinal));
        await server.StartAsync();
        await CheckAsync();
        await server.KillAsync();
        await server.StartAsync();
        await CheckAsync();

        async Task CheckAsync()
        {
            CheckFiles();
            var (told, _) = await AnswersAsync(server, client, customer, guest, innocent);
            foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(told.Holds(word), $"'{word}' is told after its person was erased.");
            foreach (var word in innocent.Words) Assert.True(told.Holds(word), $"'{word}', of somebody else, is gone.");
        }

        void CheckFiles()
        {
            var files = Files(server);
            Assert.True(files.Count >= 4, "Journal, snapshot and keys were not all looked at.");
            foreach (var file in files)
            {
                foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(Holds(file.Bytes, Encoding.UTF8.GetBytes(word)), $"{file.Name} holds '{word}'.");
                foreach (var key in new[] { customer.Key, guest.Key }) Assert.False(Holds(file.Bytes, secrets[key]), $"{file.Name} holds the erased key {key}.");
            }
        }
    }

    private sealed record Person(string CustomerId, string OrderId, string ExternalId, string ComplaintId, string[] Words)
    {
        public ulong Key { get; set; }
    }

    private sealed class Told
    {
        private readonly List<byte[]> _texts = [];

        public void Add(IMessage message)
        {
            _texts.Add(Encoding.UTF8.GetBytes(message.ToString()!));
            // Bytes inside, as of an export, are not told as text.
            _texts.Add(message.ToByteArray());
        }

        public void Add(string text) => _texts.Add(Encoding.UTF8.GetBytes(text));

        public bool Holds(string word) => _texts.Exists(text => ErasureTests.Holds(text, Encoding.UTF8.GetBytes(word)));
    }

    private static async Task OpenAsync(OrderEngineClient client)
    {
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { Location = new Location { LocationId = "L1" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = "A" } });
        await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { Channel = new Channel { ChannelId = "WEB" } });
        for (var i = 0; i < 10; i++)
            await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1_000_000 } } });
    }

    // Everything that a person can say, each in words of its own.
    private static async Task<Person> PersonAsync(OrderEngineClient client, string customerId, string name)
    {
        string[] words = [.. new[] { "name", "mail", "street", "moved", "wish", "note", "late note", "complaint", "answer", "feedback" }.Select(what => $"{name} {what}")];
        var details = new PersonalDetails { Name = words[0], Email = words[1], AddressLines = { words[2] } };
        if (customerId.Length > 0) await client.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { Customer = new Customer { CustomerId = customerId, Details = details } });
        var external = $"x-{Guid.NewGuid():N}";
        var order = (await client.Orders.SubmitOrderAsync(new SubmitOrderRequest
        {
            Order = new OrderDraft
            {
                ChannelId = "WEB", ExternalOrderId = external, CustomerId = customerId, CurrencyCode = "GBP", Delivery = details, Lines = { new OrderLineDraft { SkuId = "A", Quantity = 1 } },
                Extras = new OrderExtras { SpecialRequests = { new SpecialRequest { Text = words[4] } } },
            },
        })).OrderId;
        await client.Orders.AmendOrderAsync(new AmendOrderRequest
        {
            OrderId = order, Order = new OrderAmendment { Delivery = new PersonalDetails { City = words[3] } }, UpdateMask = new() { Paths = { "delivery.city" } },
        });
        await client.Orders.AddNoteAsync(new AddNoteRequest { OrderId = order, Text = words[5] });
        await client.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { OrderId = order });
        await client.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { OrderId = order });
        await client.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { OrderId = order });
        await client.Orders.AddNoteAsync(new AddNoteRequest { OrderId = order, Text = words[6] });
        var complaint = (await client.Customers.OpenComplaintAsync(new OpenComplaintRequest { OrderId = order, Category = ComplaintCategory.Quality, Text = words[7] })).ComplaintId;
        await client.Customers.ResolveComplaintAsync(new ResolveComplaintRequest { ComplaintId = complaint, Resolution = ComplaintResolution.Goodwill, Text = words[8] });
        await client.Customers.RecordFeedbackAsync(new RecordFeedbackRequest { OrderId = order, Rating = 5, Text = words[9] });
        return new Person(customerId, order, external, complaint, words);
    }

    // Everything that can be read, with everything that may be asked for; and the keys that an export names, one for each person.
    private static async Task<(Told Told, Dictionary<ulong, string> Keys)> AnswersAsync(Server server, OrderEngineClient client, params Person[] people)
    {
        var told = new Told();
        foreach (var person in people)
        {
            if (person.CustomerId.Length > 0)
            {
                told.Add(await client.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = person.CustomerId, IncludeDetails = true }));
                told.Add((await server.OrderctlAsync("customer", "get", person.CustomerId, "--details")).Succeeded().Output);
            }
            told.Add(await client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = person.OrderId, IncludeDelivery = true }));
            told.Add(await client.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = person.ExternalId, IncludeDelivery = true }));
            told.Add(await client.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = person.OrderId, IncludePersonalData = true }));
            told.Add(await client.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = person.OrderId }));
            told.Add(await client.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = person.OrderId }));
            told.Add(await client.Customers.GetComplaintAsync(new GetComplaintRequest { ComplaintId = person.ComplaintId, IncludeText = true }));
            told.Add((await server.OrderctlAsync("order", "get", person.OrderId, "--delivery", "--json")).Succeeded().Output);
            told.Add((await server.OrderctlAsync("complaint", "get", person.ComplaintId, "--text")).Succeeded().Output);
        }
        told.Add(await client.Orders.ListOrdersAsync(new ListOrdersRequest()));
        told.Add(await client.Customers.ListComplaintsAsync(new ListComplaintsRequest()));
        told.Add(await client.Admin.ListExceptionsAsync(new ListExceptionsRequest()));
        told.Add((await server.OrderctlAsync("watch", "--snapshot", "--count", "2")).Succeeded().Output);
        using (var watch = client.Tracking.WatchOrders(new WatchOrdersRequest { SnapshotFirst = true, Filter = new() { OrderIds = { people.Select(person => person.OrderId) } } }))
            while (await watch.ResponseStream.MoveNext(default))
            {
                told.Add(watch.ResponseStream.Current);
                if (watch.ResponseStream.Current.Snapshot is { Last: true }) break;
            }
        using (var http = new HttpClient()) told.Add(await http.GetStringAsync(new Uri($"http://127.0.0.1:{server.MetricsPort}/metrics")));
        var keys = new Dictionary<ulong, string>();
        var first = (await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest())).JournalFirstSequence;
        using (var export = client.Admin.ExportEvents(new ExportEventsRequest { FromSequence = first, IncludePersonalData = true }))
            while (await export.ResponseStream.MoveNext(default))
            {
                told.Add(export.ResponseStream.Current);
                foreach (var e in export.ResponseStream.Current.Events)
                {
                    if (e.OrderSubmitted?.Delivery is not { } delivery || people.FirstOrDefault(person => person.ExternalId == e.OrderSubmitted.ExternalOrderId) is not { } owner) continue;
                    owner.Key = delivery.Key;
                    keys[delivery.Key] = owner.CustomerId;
                }
            }
        return (told, keys);
    }

    private static async Task<Dictionary<ulong, byte[]>> SecretsAsync(Server server, Dictionary<ulong, string> keys)
    {
        var file = await ReadAsync(Path.Combine(server.DataDirectory, "keys"));
        return keys.Keys.ToDictionary(key => key, key => file.AsSpan(KeysHeader + (int)key * KeySlot + KeyStart, KeyBytes).ToArray());
    }

    private static List<(string Name, byte[] Bytes)> Files(Server server) =>
        [.. Directory.EnumerateFiles(server.DataDirectory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock")
            .Select(file => (Path.GetRelativePath(server.DataDirectory, file), ReadAsync(file).GetAwaiter().GetResult()))];

    private static async Task<byte[]> ReadAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await file.CopyToAsync(copy);
        return copy.ToArray();
    }

    private static bool Holds(byte[] bytes, byte[] wanted) => bytes.AsSpan().IndexOf(wanted) >= 0;

    private static async Task FillAsync(OrderEngineClient client)
    {
        var line = new OrderLineDraft { SkuId = "A", Quantity = 1, UnitPriceMinor = 12_345 };
        for (var start = (await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest())).JournalBytes;
             (await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest())).JournalBytes < start + FillBytes;)
        {
            var bulk = new BulkSubmitOrdersRequest();
            for (var i = 0; i < OrdersPerBulk; i++)
            {
                var order = new OrderDraft { ChannelId = "WEB", ExternalOrderId = $"f-{Guid.NewGuid():N}", CurrencyCode = "GBP" };
                order.Lines.Add(Enumerable.Repeat(line, LinesPerOrder));
                bulk.Requests.Add(new SubmitOrderRequest { RequestId = RequestIds.New(), Order = order });
            }
            Assert.All((await client.Orders.BulkSubmitOrdersAsync(bulk)).Results, result => Assert.NotNull(result.Accepted));
        }
    }
}
