// The engine's life within the process: recovery beside the listening server, health as the engine is, drain at the end.

using OrderEngine.Core;
using OrderEngine.Core.Snapshots;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Server.Protocol;
using ServingStatus = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server;

/// <summary>
/// Starts the engine without keeping the server from listening, and stops it after the server has answered what was in flight: hosted
/// services stop in the reverse order of their registration, and the web server is registered last.
/// </summary>
internal sealed class EngineHost(
    Engine.Engine engine, EngineCalls calls, HealthStatus health, IFailStop failStop, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<EngineHost> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);
    private CancellationTokenRegistration _whenStopping;
    private Task _starting = Task.CompletedTask;
    private readonly Lock _telling = new();

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _whenStopping = lifetime.ApplicationStopping.Register(() =>
        {
            ServerLog.Stopping(logger);
            health.Stop();
        });
        engine.DiskChanged += TellHealth;
        health.Set(HealthStatus.Liveness, ServingStatus.Serving);
        _starting = StartEngineAsync();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends the streams while their connections still stand, and gives the clients a moment to read how they ended: what .NET's client has not
    /// read when the connection goes is lost to it.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var mustWait = calls.HasLiveStreams;
        lifetime.StopApplication();
        if (mustWait) await Task.Delay(ServerLimits.LastWord, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await engine.StopAsync();
        await _starting;
        await _whenStopping.DisposeAsync();
        ServerLog.Stopped(logger);
    }

    private async Task StartEngineAsync()
    {
        try
        {
            await using var progress = time.CreateTimer(_ => LogProgress(), null, ProgressInterval, ProgressInterval);
            await engine.StartAsync(lifetime.ApplicationStopping);
            TellHealth();
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested || engine.Phase == EnginePhase.Draining)
        {
            // Stopped while recovering, or given up because a listener could not bind (there is no ApplicationStopping then): nothing was taken, so nothing is
            // to be answered.
        }
        catch (Exception thrown)
        {
            var reason = thrown is JournalException or ApplyException or SnapshotFileException or SnapshotContentException ? thrown.Message : "The engine cannot start.";
            failStop.Fail(ExitCodes.RecoveryFailed, reason, thrown);
        }
    }

    /// <summary>Says what is served: all, or, while the disk is low, what changes nothing.</summary>
    private void TellHealth()
    {
        lock (_telling)
        {
            if (engine.Phase != EnginePhase.Serving) return;
            if (!engine.Disk.IsLow)
            {
                health.SetAll(ServingStatus.Serving);
                return;
            }
            foreach (var service in Contract.Services)
                health.Set(service.FullName, Contract.ReadOnly.Contains(service.FullName) ? ServingStatus.Serving : ServingStatus.NotServing);
            // Last: who waits for the whole finds its parts as they are.
            health.Set(HealthStatus.WholeServer, ServingStatus.NotServing);
        }
    }

    private void LogProgress()
    {
        var recovery = engine.Recovery;
        if (engine.Phase == EnginePhase.Recovering) ServerLog.Recovering(logger, recovery.BytesDone, recovery.BytesTotal, recovery.Sequence);
    }
}
