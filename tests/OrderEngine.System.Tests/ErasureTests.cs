// Proves: of a person who was erased nothing is left, in no file of the data directory and in no answer: not the words, nor the keys that opened
// them; also after snapshots, a cut of the journal, a restart and a kill. Everybody else is still there.
using System.Text;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ErasureTests(ITestOutputHelper log)
{
    // More than one segment of the journal, in orders of the most lines.
    private const int FillBytes = 40 * 1024 * 1024, LinesPerOrder = 2_000, OrdersPerBulk = 20;

    [Fact]
    public async Task Nothing_of_an_erased_person_is_left_in_any_file_or_answer()
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__StreamHistoryEvents"] = "0" });
        using var client = server.Connect();
        await People.OpenAsync(client);
        var customer = await People.PersonAsync(client, "C1", "Zsuzsanna Quillfeather");
        var guest = await People.PersonAsync(client, "", "Okonkwo Thistledown");
        var innocent = await People.PersonAsync(client, "C2", "Bartholomew Underwood");
        await client.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());

        // The search finds what is there: the words in answers, the keys in their file, and neither anywhere else.
        var (answers, keys) = await People.AnswersAsync(server, client, customer, guest, innocent);
        foreach (var word in customer.Words.Concat(guest.Words).Concat(innocent.Words)) Assert.True(answers.Holds(word), $"'{word}' is in no answer before anybody was erased.");
        var secrets = await People.SecretsAsync(server.DataDirectory, keys);
        Assert.Equal(3, secrets.Count);
        foreach (var secret in secrets.Values) Assert.Equal(["keys"], People.Files(server.DataDirectory).Where(file => People.Holds(file.Bytes, secret)).Select(file => file.Name));

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
            var (told, _) = await People.AnswersAsync(server, client, customer, guest, innocent);
            foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(told.Holds(word), $"'{word}' is told after its person was erased.");
            foreach (var word in innocent.Words) Assert.True(told.Holds(word), $"'{word}', of somebody else, is gone.");
        }

        void CheckFiles()
        {
            var files = People.Files(server.DataDirectory);
            Assert.True(files.Count >= 4, "Journal, snapshot and keys were not all looked at.");
            foreach (var file in files)
            {
                foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(People.Holds(file.Bytes, Encoding.UTF8.GetBytes(word)), $"{file.Name} holds '{word}'.");
                foreach (var key in new[] { customer.Key, guest.Key }) Assert.False(People.Holds(file.Bytes, secrets[key]), $"{file.Name} holds the erased key {key}.");
            }
        }
    }

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
