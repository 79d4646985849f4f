// What every service needs of the engine: commands with the call's deadline, reads that wait for a sequence, the stop of the server.
// Any thread.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server;

/// <summary>The engine as the services call it.</summary>
/// <param name="engine">The engine.</param>
/// <param name="time">The server's clock.</param>
/// <param name="lifetime">Says when the server stops.</param>
internal sealed class EngineCalls(Engine.Engine engine, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const long TicksPerMicro = TimeSpan.TicksPerMillisecond / 1_000;

    /// <summary>The engine.</summary>
    public Engine.Engine Engine => engine;

    /// <summary>The rows and ids.</summary>
    public StateReader Reader => engine.View.Reader;

    /// <summary>Keys and digests.</summary>
    public PersonalVault Vault => engine.Vault;

    /// <summary>Cancelled when the server stops: long streams end then.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Runs a command to its commit.</summary>
    /// <exception cref="RpcException">Its outcome is not Ok.</exception>
    public async ValueTask<CommandAnswer> ExecuteAsync(Command command, Lane lane, ServerCallContext context)
    {
        var answer = await engine.ExecuteAsync(command, lane, Deadline(context), context.CancellationToken);
        return answer.Outcome == Outcome.Ok ? answer : throw Refusals.Of(answer, command, Reader).ToException();
    }

    /// <summary>Queues a command as soon as there is room, behind those that the same caller queued before.</summary>
    public ValueTask<PendingAnswer> EnqueueAsync(Command command, Lane lane, ServerCallContext context) =>
        engine.EnqueueAsync(command, lane, Deadline(context), context.CancellationToken);

    /// <summary>When the caller stops waiting, microseconds since 1970; 0: never.</summary>
    public static long Deadline(ServerCallContext context) =>
        context.Deadline == DateTime.MaxValue ? 0 : Math.Max(1, (context.Deadline - DateTime.UnixEpoch).Ticks / TicksPerMicro);

    /// <summary>Waits until a sequence is durable, at most as long as the call may take.</summary>
    /// <exception cref="RpcException">It did not come in time.</exception>
    public async ValueTask WaitForAsync(long minSequence, ServerCallContext context)
    {
        if (engine.View.DurableSequence >= minSequence) return;
        using var patience = new CancellationTokenSource(ServerLimits.MinSequenceWait, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.CancellationToken, Stopping);
        try
        {
            await engine.View.WaitForAsync(minSequence, any.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Exception(Stopping.IsCancellationRequested ? ErrorReason.EngineDraining : ErrorReason.DeadlinePassed);
        }
    }
}
