// Health over plain HTTP, for orchestrators: /healthz (alive), /readyz (takes changes), /startupz (has recovered, and how far it is). Beside
// the metrics, without credentials: they tell nothing that a stranger could use. Any thread.

using System.Text.Json;
using OrderEngine.Engine;

namespace OrderEngine.Server.Metrics;

/// <summary>Answers what an orchestrator asks.</summary>
/// <param name="calls">The engine.</param>
internal sealed class HealthPages(EngineCalls calls)
{
    /// <summary>Maps the pages.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        // A process that answers is alive: what is wrong beyond that ends it by itself (rule 5), and killing it while it recovers only
        // makes it begin again.
        routes.MapGet("/healthz", context => WriteAsync(context, true));
        routes.MapGet("/readyz", context => WriteAsync(context, Phase == EnginePhase.Serving && !calls.Engine.Disk.IsLow));
        routes.MapGet("/startupz", context => WriteAsync(context, Phase != EnginePhase.Recovering));
    }

    private EnginePhase Phase => calls.Stopping.IsCancellationRequested ? EnginePhase.Draining : calls.Engine.Phase;

    private Task WriteAsync(HttpContext context, bool isWell)
    {
        var recovery = calls.Engine.Recovery;
        context.Response.StatusCode = isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            ok = isWell,
            phase = Phase == EnginePhase.Serving && calls.Engine.Disk.IsLow ? "LOW_DISK" : Phase.ToString().ToUpperInvariant(),
            recoveredBytes = recovery.BytesDone,
            recoveryTotalBytes = recovery.BytesTotal,
            sequence = calls.Engine.View.DurableSequence,
        }), context.RequestAborted);
    }
}
