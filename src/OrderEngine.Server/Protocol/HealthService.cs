// The standard gRPC health service (proto/grpc/health/v1) over HealthStatus. Counts its watches; any thread.

using Grpc.Core;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Protocol;

/// <summary>Answers load balancers, orchestrators and probes. It needs no authentication and touches nothing of the engine.</summary>
public sealed class HealthService(HealthStatus health) : Health.HealthBase
{
    private int _watches;

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
        // Anybody may watch, so there is a bound for all together.
        if (Interlocked.Increment(ref _watches) > ServerLimits.HealthWatches)
        {
            Interlocked.Decrement(ref _watches);
            throw Errors.Status(ErrorReason.SubscriberLimitReached, "As many watches of the health service are open as are allowed. Check instead.").ToException();
        }
        try
        {
            await foreach (var status in health.Watch(request.Service, context.CancellationToken))
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            return; // The client left, as every watch ends: nobody is there to be told anything.
        }
        finally
        {
            Interlocked.Decrement(ref _watches);
        }
        throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
    }
}
