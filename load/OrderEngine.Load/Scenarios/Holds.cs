// Reservations: one call a run, by turns one that holds stock and one that ends an earlier hold (four in five become orders).

using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>CreateReservation, CommitReservation, ReleaseReservation.</summary>
public sealed class HoldsScenario : IScenario
{
    private const int DefaultCopies = 64;

    private static readonly Duration TimeToLive = Duration.FromTimeSpan(TimeSpan.FromMinutes(15));

    private readonly ConcurrentQueue<(string Id, long Index)> _held = new();
    private RunContext _run = null!;

    public string Name => "holds";

    public string Description => "CreateReservation for 15 minutes, then CommitReservation (4 in 5) or ReleaseReservation, one call a run.";

    public string Unit => "calls";

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        return Task.CompletedTask;
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var connection = _run.Connection(invocation.Copy).Inventory;
        try
        {
            if (invocation.Number % 2 == 0 || !_held.TryDequeue(out var hold)) return await CreateAsync(connection, invocation);
            return invocation.Draw % 5 == 0 ? await ReleaseAsync(connection, hold.Id, hold.Index, invocation) : await CommitAsync(connection, hold.Id, hold.Index, invocation);
        }
        catch (RpcException exception)
        {
            return Outcomes.FromException(exception);
        }
    }

    private async Task<Response> CreateAsync(InventoryService.InventoryServiceClient client, Invocation invocation)
    {
        var index = _run.Workload.Next();
        var request = new CreateReservationRequest
        {
            RequestId = _run.Workload.ExternalId(index) + "-hold", ChannelId = _run.Workload.ChannelId, Ttl = TimeToLive,
        };
        // A SKU may come up twice in an order but not in a reservation: its units are held together.
        for (var line = 0; line < Workload.LinesPerOrder; line++)
        {
            var (sku, quantity) = _run.Workload.Line(index, line);
            var skuId = _run.Workload.Skus[sku];
            if (request.Items.FirstOrDefault(i => i.SkuId == skuId) is { } same) same.Quantity += quantity;
            else request.Items.Add(new ReservationItem { SkuId = skuId, Quantity = quantity });
        }
        var answer = await client.CreateReservationAsync(request, cancellationToken: invocation.Stop);
        _held.Enqueue((answer.ReservationId, index));
        return invocation.Step("create", Response.Ok(), invocation.Begun);
    }

    private async Task<Response> CommitAsync(InventoryService.InventoryServiceClient client, string id, long index, Invocation invocation)
    {
        var externalId = _run.Workload.ExternalId(index);
        var request = new CommitReservationRequest { RequestId = externalId + "-commit", ReservationId = id, Order = new OrderDraft() };
        _run.Workload.Fill(request.Order, index, externalId);
        var answer = await client.CommitReservationAsync(request, cancellationToken: invocation.Stop);
        _run.Ledger.Acknowledge(index, answer.OrderId);
        return invocation.Step("commit", Response.Ok(), invocation.Begun);
    }

    private async Task<Response> ReleaseAsync(InventoryService.InventoryServiceClient client, string id, long index, Invocation invocation)
    {
        await client.ReleaseReservationAsync(
            new ReleaseReservationRequest { RequestId = _run.Workload.ExternalId(index) + "-release", ReservationId = id }, cancellationToken: invocation.Stop);
        return invocation.Step("release", Response.Ok(), invocation.Begun);
    }
}
