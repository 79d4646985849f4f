// Runs the bad-input table: the status of each case, and that nothing happened to the state and the next request is served.

using Google.Protobuf.Reflection;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

public sealed class BadInputTests(BadInputTests.Stage stage) : IClassFixture<BadInputTests.Stage>
{
    public sealed class Stage : IAsyncLifetime
    {
        internal TestServer Server { get; private set; } = null!;
        internal World World { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            // The clock stands still: no reservation of the table expires between two looks at the state.
            Server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(new ManualTime()));
            await Shop.OpenAsync(Server);
            var draft = Shop.Draft(quantity: 100_000);
            draft.ExternalOrderId = "table-order";
            var order = await Server.Orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = draft });
            var reservation = await Server.Inventory.CreateReservationAsync(Shop.Reserve(quantity: 10));
            var delivered = await Returning.DeliverAsync(Server, Shop.Draft(quantity: 50_000));
            var asked = await Server.Returns.RequestReturnAsync(Returning.Request(delivered, 1, 1));
            var complaint = await Server.Customers.OpenComplaintAsync(new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = delivered, Category = ComplaintCategory.Late, Text = "late" });
            World = new World(order.OrderId, reservation.ReservationId) { DeliveredOrderId = delivered, ReturnId = asked.ReturnId, ComplaintId = complaint.ComplaintId };
        }

        public async Task DisposeAsync() => await Server.DisposeAsync();
    }

    public static TheoryData<int, string> Rows()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < Table.Rows.Count; i++) data.Add(i, Table.Rows[i].ToString());
        return data;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_case_gets_its_status_and_leaves_nothing_behind(int index, string name)
    {
        var row = Table.Rows[index];
        var before = await QuietAsync();

        var refusal = await row.Call(stage.Server, stage.World);

        if (row.Reason is not { } reason)
        {
            Assert.True(refusal is null, $"{name}: {refusal}");
            return;
        }
        Assert.True(refusal is not null, $"{name}: accepted");
        Assert.Equal(Errors.Name(reason), refusal.Reason);
        Assert.Equal((int)Errors.Entry(reason).Status, (int)refusal.Code);
        if (row.Path is not null) Assert.Contains(row.Path, refusal.Fields);
        else Assert.Empty(refusal.Fields);
        await AssertServedAsIfNothingHadBeen(before, binds: Errors.Entry(reason).Binds, isBatch: row.Field is "orders" or "orders.client_seq");
    }

    // What the case before set in motion (a plan, a queue) comes in turns of its own: a question that goes through the writer is answered behind it.
    private async Task<EngineStatus> QuietAsync()
    {
        for (var before = await stage.Server.StatusAsync(); ;)
        {
            await stage.Server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Draft() });
            var now = await stage.Server.StatusAsync();
            if (now.Sequence == before.Sequence) return now;
            before = now;
        }
    }

    [Fact]
    public void The_table_misses_no_field_of_any_request()
    {
        var covered = Table.Rows.Select(row => $"{row.Rpc}.{row.Field}").ToHashSet();
        var missing = new List<string>();
        foreach (var service in Contract.Services)
        foreach (var method in service.Methods)
            missing.AddRange(Leaves(method.InputType, "").Select(field => $"{method.Name}.{field}").Where(field => !IsCovered(covered, field)));
        Assert.Empty(missing);
    }

    private async Task AssertServedAsIfNothingHadBeen(EngineStatus before, bool binds, bool isBatch)
    {
        var after = await stage.Server.StatusAsync();
        // What rule 6 replays is one event; in a stream the sound items before the bad one count.
        if (!binds && !isBatch)
        {
            Assert.Equal(before.Sequence, after.Sequence);
            Assert.Equal(before.StateHash, after.StateHash);
        }
        else if (!isBatch)
        {
            Assert.InRange(after.Sequence, before.Sequence + 1, before.Sequence + 1);
        }
        Assert.Equal(stage.World.OrderId, (await stage.Server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = stage.World.OrderId })).OrderId);
    }

    // A bulk's or stream's items are the requests of the single call; an output-only field of an entry is not a field of the request.
    private static bool IsCovered(HashSet<string> covered, string field)
    {
        if (field.EndsWith(".sequence", StringComparison.Ordinal)) return true;
        var plain = field.Replace("BulkSubmitOrders.requests.", "BulkSubmitOrders.", StringComparison.Ordinal)
            .Replace("StreamSubmitOrders.orders.request.", "StreamSubmitOrders.", StringComparison.Ordinal)
            .Replace("StreamStatusReports.reports.release.", "StreamStatusReports.", StringComparison.Ordinal)
            .Replace("StreamStatusReports.reports.ship.", "StreamStatusReports.", StringComparison.Ordinal)
            .Replace("StreamStatusReports.reports.recall.", "StreamStatusReports.", StringComparison.Ordinal)
            .Replace("StreamStatusReports.reports.lose.", "StreamStatusReports.", StringComparison.Ordinal)
            .Replace("StreamStatusReports.reports.deliver.", "StreamStatusReports.", StringComparison.Ordinal);
        return covered.Contains(plain) || field.StartsWith("ImportEvents.", StringComparison.Ordinal);
    }

    private static IEnumerable<string> Leaves(MessageDescriptor message, string prefix)
    {
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            var path = prefix + field.Name;
            if (field.FieldType != FieldType.Message || field.MessageType.File.Package == "google.protobuf")
            {
                yield return path;
                continue;
            }
            if (field.MessageType.File.Package == "orderengine.journal") continue;
            foreach (var leaf in Leaves(field.MessageType, path + ".")) yield return leaf;
        }
    }
}
