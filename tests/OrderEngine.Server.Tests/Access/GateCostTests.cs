// What the gate costs a call whose credential its connection has shown before: bytes, which do not depend on the machine, are held to a
// bound; the time is printed.

using System.Diagnostics;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using OrderEngine.Access;
using OrderEngine.Server.Access;
using Xunit.Abstractions;

namespace OrderEngine.Server.Tests.Access;

public sealed class GateCostTests(ITestOutputHelper log)
{
    private const int Calls = 200_000;
    private const int MostBytes = 256;

    [Fact]
    public async Task A_keyed_call_costs_few_bytes_more_than_one_without_a_gate()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { RequestsPerSecond = 1_000_000 });
        var gate = new AccessGate(_ => Task.CompletedTask, new AccessPolicy(false), keyed.Server.Service<CredentialStore>(), TimeProvider.System,
            keyed.Server.Service<AccessMetrics>(), keyed.Server.Service<SlowMessages>(), null);
        var connection = new DefaultConnectionContext("one");
        ShownCredential.Attach(connection);
        var context = new DefaultHttpContext();
        context.Features.Set<IConnectionItemsFeature>(connection);
        context.Request.Path = "/orderengine.v1.OrderService/SubmitOrder";
        context.Request.Headers.Authorization = "Bearer " + keyed.Create("web", "WEB", Scopes.Submit);
        var method = new Method<byte[], byte[]>(MethodType.Unary, "orderengine.v1.OrderService", "SubmitOrder", Marshallers.Create<byte[]>(b => b, b => b), Marshallers.Create<byte[]>(b => b, b => b));
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new GrpcMethodMetadata(typeof(Services.OrderService), method)), null));
        await gate.InvokeAsync(context);
        Assert.False(context.Response.Headers.ContainsKey("grpc-status"), "The call was not let in.");
        Run(gate, context, Calls / 10);

        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        Run(gate, context, Calls);
        var time = clock.Elapsed / Calls;
        bytes = (GC.GetAllocatedBytesForCurrentThread() - bytes) / Calls;

        log.WriteLine($"The gate for a keyed call: {time.TotalNanoseconds:N0} ns, {bytes} bytes.");
        Assert.InRange(bytes, 0, MostBytes);
    }

    private static void Run(AccessGate gate, HttpContext context, int calls)
    {
        for (var i = 0; i < calls; i++) gate.InvokeAsync(context).GetAwaiter().GetResult();
    }
}
