// Owns people who say all that can be said to the engine, each in words of their own, and the search for these words in everything that it answers
// and in every file that it writes. Used by one test at a time.
using System.Net.Http;
using System.Text;
using Google.Protobuf;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.System.Tests.Harness;

/// <summary>A person's words, and what they are about.</summary>
internal sealed record Person(string CustomerId, string OrderId, string ExternalId, string ComplaintId, string[] Words)
{
    /// <summary>The number of the key under which they are sealed; known from the first export.</summary>
    public ulong Key { get; set; }
}

/// <summary>Everything that was answered.</summary>
internal sealed class Told
{
    private readonly List<byte[]> _texts = [];

    public void Add(IMessage message)
    {
        _texts.Add(Encoding.UTF8.GetBytes(message.ToString()!));
        // Bytes inside, as of an export, are not told as text.
        _texts.Add(message.ToByteArray());
    }

    public void Add(string text) => _texts.Add(Encoding.UTF8.GetBytes(text));

    public bool Holds(string word) => _texts.Exists(text => People.Holds(text, Encoding.UTF8.GetBytes(word)));
}

internal static class People
{
    private const int KeysHeader = 4_096, KeySlot = 64, KeyStart = 24, KeyBytes = 32;

    /// <summary>What their orders refer to.</summary>
    public static async Task OpenAsync(OrderEngineClient client)
    {
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { Location = new Location { LocationId = "L1" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = "A" } });
        await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { Channel = new Channel { ChannelId = "WEB" } });
        for (var i = 0; i < 10; i++)
            await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1_000_000 } } });
    }

    /// <summary>A person who says everything that can be said, each in words of its own.</summary>
    public static async Task<Person> PersonAsync(OrderEngineClient client, string customerId, string name)
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

    /// <summary>Everything that can be read, with everything that may be asked for; and the keys that an export names, one for each person.</summary>
    public static async Task<(Told Told, Dictionary<ulong, string> Keys)> AnswersAsync(Server server, OrderEngineClient client, params Person[] people)
    {
        var told = new Told();
        // Processes, which take their time to start: beside the rest.
        var commands = new List<string[]> { (string[])["watch", "--snapshot", "--count", "2"] };
        foreach (var person in people)
        {
            commands.Add(["order", "get", person.OrderId, "--delivery", "--json"]);
            commands.Add(["complaint", "get", person.ComplaintId, "--text"]);
            if (person.CustomerId.Length > 0) commands.Add(["customer", "get", person.CustomerId, "--details"]);
        }
        var outputs = Task.WhenAll(commands.Select(command => server.OrderctlAsync(command)));
        foreach (var person in people)
        {
            if (person.CustomerId.Length > 0) told.Add(await client.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = person.CustomerId, IncludeDetails = true }));
            told.Add(await client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = person.OrderId, IncludeDelivery = true }));
            told.Add(await client.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = person.ExternalId, IncludeDelivery = true }));
            told.Add(await client.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = person.OrderId, IncludePersonalData = true }));
            told.Add(await client.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = person.OrderId }));
            told.Add(await client.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = person.OrderId }));
            told.Add(await client.Customers.GetComplaintAsync(new GetComplaintRequest { ComplaintId = person.ComplaintId, IncludeText = true }));
        }
        told.Add(await client.Orders.ListOrdersAsync(new ListOrdersRequest()));
        told.Add(await client.Customers.ListComplaintsAsync(new ListComplaintsRequest()));
        told.Add(await client.Admin.ListExceptionsAsync(new ListExceptionsRequest()));
        foreach (var output in await outputs) told.Add(output.Succeeded().Output);
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

    /// <summary>The bytes of keys, from their file.</summary>
    public static async Task<Dictionary<ulong, byte[]>> SecretsAsync(string directory, Dictionary<ulong, string> keys)
    {
        var file = await ReadAsync(Path.Combine(directory, "keys"));
        return keys.Keys.ToDictionary(key => key, key => file.AsSpan(KeysHeader + (int)key * KeySlot + KeyStart, KeyBytes).ToArray());
    }

    /// <summary>Every file below a directory but the lock.</summary>
    public static List<(string Name, byte[] Bytes)> Files(string directory) =>
        [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock")
            .Select(file => (Path.GetRelativePath(directory, file), ReadAsync(file).GetAwaiter().GetResult()))];

    /// <summary>A file that somebody may be writing.</summary>
    public static async Task<byte[]> ReadAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await file.CopyToAsync(copy);
        return copy.ToArray();
    }

    public static bool Holds(byte[] bytes, byte[] wanted) => bytes.AsSpan().IndexOf(wanted) >= 0;
}
