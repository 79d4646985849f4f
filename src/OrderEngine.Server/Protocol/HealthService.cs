// The standard gRPC health service (proto/grpc/health/v1) over HealthStatus. Stateless; one call a thread.

using Grpc.Core;
using OrderEngine.Contracts.Grpc.Health.V1;

namespace OrderEngine.Server.Protocol;

/// <summary>Answers load balancers, orchestrators and probes. It needs no authentication and touches nothing of the engine.</summary>
public sealed class HealthService(HealthStatus health) : Health.HealthBase
{
    /// <summary>The status of a service now; NOT_FOUND when it is not known.</summary>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        health.TryGet(request.Service, out var status)
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, "This server has no service of that name."));

    /// <summary>The status of every known service now.</summary>
    public override Task<HealthListResponse> List(HealthListRequest request, ServerCallContext context)
    {
        var response = new HealthListResponse();
        foreach (var (service, status) in health.All())
            response.Statuses[service] = new HealthCheckResponse { Status = status };
        return Task.FromResult(response);
    }

    /// <summary>
    /// The status of a service now and whenever it changes, until the client leaves; ends with UNAVAILABLE when the server
    /// stops, so that the client knows it was not the last word on the service.
    /// </summary>
    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        try
        {
            await foreach (var status in health.Watch(request.Service, context.CancellationToken))
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            return; // The client left, as every watch ends: nobody is there to be told anything.
        }
        throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
    }
}
