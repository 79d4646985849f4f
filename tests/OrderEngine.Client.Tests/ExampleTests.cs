// The example of docs/CLIENT.md, word for word, so that it cannot rot.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class ExampleTests
{
    [Fact]
    public async Task The_example_of_the_documentation_runs()
    {
        var services = new FakeServices();
        services.Orders.OnSubmit = _ => throw Errors.Exception(StatusCode.FailedPrecondition, "OUT_OF_STOCK", details: new StockShortage { SkuId = "MUG", Missing = 3 });
        services.Orders.OnStream = async (requests, results, _) =>
        {
            await foreach (var message in requests.ReadAllAsync())
            {
                await results.WriteAsync(new StreamSubmitOrdersResponse
                {
                    Results = { message.Orders.Select(o => new SubmitResult { ClientSeq = o.ClientSeq, Accepted = new SubmitOrderResponse { OrderId = o.Request.RequestId } }) },
                });
            }
        };
        services.Tracking.OnWatch = async (request, updates, _) =>
        {
            if (request.ResumeToken == "t2")
                throw Errors.Exception(StatusCode.OutOfRange, "RESUME_TOKEN_AHEAD");
            await updates.WriteAsync(new WatchOrdersResponse { Events = new OrderEventPage { Events = { new OrderEvent { Sequence = 2 } } }, ResumeToken = "t2" });
        };
        await using var engine = await FakeEngine.StartAsync(services);
        var answers = new List<Task<Outcome<SubmitOrderResponse>>>();

        var token = await Assert.ThrowsAsync<ResumeTokenException>(() =>
            RunAsync(engine.Address, new OrderDraft(), [new OrderDraft { ExternalOrderId = "1" }, new OrderDraft { ExternalOrderId = "2" }], answers, "t1"));

        Assert.True(token.IsAhead);
        Assert.Equal(["web/1", "web/2"], (await Task.WhenAll(answers)).Select(answer => answer.Accepted!.OrderId));
    }

    private static async Task RunAsync(string address, OrderDraft order, OrderDraft[] orders, List<Task<Outcome<SubmitOrderResponse>>> answers, string savedToken)
    {
        using var client = new OrderEngineClient(address, new OrderEngineClientOptions
        {
            Actor = new Actor { Id = "web-adapter", Role = Role.Channel },
        });

        // One order: accepted, or refused with a reason. The request id is made here and kept over all retries.
        var outcome = await client.SubmitAsync(order);
        if (outcome.IsAccepted)
            Console.WriteLine($"{outcome.Accepted.OrderId} is {outcome.Accepted.State}");
        else
            Console.WriteLine($"{outcome.Refused.ReasonName}: {string.Join(", ", outcome.Refused.Shortages.Select(s => $"{s.Missing} of {s.SkuId}"))}");

        // Many orders over one stream: the outer await waits while the window is full, the inner task is the answer.
        await using (var pipeline = client.OpenOrderPipeline(new PipelineOptions { Window = 256 }))
        {
            foreach (var next in orders)
            {
                Task<Outcome<SubmitOrderResponse>> answer = await pipeline.SubmitAsync(next, requestId: "web/" + next.ExternalOrderId);
                answers.Add(answer);
            }
        } // disposing waits for every answer

        // Every change of the channel's orders, without gap or repeat over breaks and restarts. Keep the token with what you made of the update.
        await foreach (var update in client.WatchOrdersAsync(new WatchFilter { ChannelIds = { "web" } }, savedToken))
        {
            foreach (var change in update.Events)
                Console.WriteLine($"{change.Sequence}: {change.ExternalOrderId} is {change.StateAfter}");
            savedToken = update.ResumeToken;
        }
    }
}
