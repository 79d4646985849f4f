// What every service needs of the engine: commands with the call's deadline, reads that wait for a sequence, the stop of the server.
// Any thread.

using System.Globalization;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Traces;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server;

/// <summary>The engine as the services call it.</summary>
internal sealed class EngineCalls : IDisposable
{
    private const long TicksPerMicro = TimeSpan.TicksPerMillisecond / 1_000;

    private readonly Engine.Engine _engine;
    private readonly TimeProvider _time;
    private readonly AccessMetrics _metrics;
    private readonly CancellationTokenSource _abandon;
    private int _openStreams;
    private long _lastStreamEnd = long.MinValue / 2;

    /// <param name="engine">The engine.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="lifetime">Says when the server stops.</param>
    /// <param name="metrics">Counts what is refused before it is queued.</param>
    /// <param name="traces">Begins spans; null: there are none.</param>
    public EngineCalls(Engine.Engine engine, TimeProvider time, IHostApplicationLifetime lifetime, AccessMetrics metrics, CallTraces? traces = null)
    {
        Traces = traces;
        _metrics = metrics;
        _engine = engine;
        _time = time;
        _abandon = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        Stopping = lifetime.ApplicationStopping;
        Stopping.Register(() => _abandon.CancelAfter(ServerLimits.LastWrite));
    }

    /// <summary>The engine.</summary>
    public Engine.Engine Engine => _engine;

    /// <summary>The server's clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>Begins spans; null: there are none.</summary>
    public CallTraces? Traces { get; }

    /// <summary>The rows and ids.</summary>
    public StateReader Reader => _engine.View.Reader;

    /// <summary>Keys and digests.</summary>
    public PersonalVault Vault => _engine.Vault;

    /// <summary>What resume tokens carry: the journal that they are positions in. For calls that the engine serves.</summary>
    /// <exception cref="RpcException">The engine has no journal yet.</exception>
    public ulong JournalIdentity => (_engine.Journal ?? throw Errors.Exception(ErrorReason.EngineRecovering)).Identity;

    /// <summary>Cancelled when the server stops: long streams end then.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Cancelled a while after <see cref="Stopping"/>: what a client has not read by then, it does not get.</summary>
    public CancellationToken Abandoning => _abandon.Token;

    /// <summary>True: a stream is open, or ended so lately that its client may not have read how.</summary>
    public bool HasLiveStreams =>
        Volatile.Read(ref _openStreams) > 0 || Environment.TickCount64 - Volatile.Read(ref _lastStreamEnd) < ServerLimits.LastWord.TotalMilliseconds;

    /// <summary>A stream opens.</summary>
    public void StreamOpened() => Interlocked.Increment(ref _openStreams);

    /// <summary>A stream ends.</summary>
    public void StreamEnded()
    {
        Volatile.Write(ref _lastStreamEnd, Environment.TickCount64);
        Interlocked.Decrement(ref _openStreams);
    }

    /// <inheritdoc/>
    public void Dispose() => _abandon.Dispose();

    /// <summary>Runs a command to its commit.</summary>
    /// <exception cref="RpcException">Its outcome is not Ok.</exception>
    public async ValueTask<CommandAnswer> ExecuteAsync(Command command, Lane lane, ServerCallContext context)
    {
        CheckAllowance();
        var trace = Traces is null ? null : CallTrace.Of(context);
        var answer = await _engine.ExecuteAsync(command, lane, Deadline(context), context.CancellationToken, trace?.Follow(command));
        trace?.Answered(answer);
        return answer.Outcome == Outcome.Ok ? answer : throw RefusalOf(answer, command, ServerLimits.DetailBytes).ToException(isCounted: true);
    }

    /// <summary>The status of an answer whose outcome is not Ok; what was recorded of it comes out of the caller's share.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="command">What was asked.</param>
    /// <param name="detailBytes">Room for the details.</param>
    public RpcStatus RefusalOf(in CommandAnswer answer, Command command, int detailBytes)
    {
        if (answer.Outcome.Binds() && !answer.Replayed) Grant.Current.Caller.Share?.Refusals.Take(answer.Event.Length);
        return Refusals.Of(answer, command, Reader, detailBytes);
    }

    /// <summary>Before changes are queued.</summary>
    /// <exception cref="RpcException">The caller's refusals have used up what they may leave behind.</exception>
    public void CheckAllowance()
    {
        if (Grant.Current.Caller.Share?.Refusals.IsSpent(out var retry) != true) return;
        var status = Errors.Status(ErrorReason.RefusalLimitReached, retry);
        _metrics.Refused(status);
        throw status.ToException(isCounted: true);
    }

    /// <summary>Counts a request that is refused without being queued, alone or among others of a message.</summary>
    public void Declined(RpcStatus refusal) => _metrics.Declined(refusal);

    /// <summary>Queues a command as soon as there is room, behind those that the same caller queued before.</summary>
    public ValueTask<PendingAnswer> EnqueueAsync(Command command, Lane lane, ServerCallContext context, CallTrace? trace = null) =>
        _engine.EnqueueAsync(command, lane, Deadline(context), context.CancellationToken, trace?.Follow(command));

    /// <summary>When the caller stops waiting, microseconds since 1970; capped.</summary>
    // What is left of it counts, not its date: the engine's clock may be ahead of the wall clock.
    public long Deadline(ServerCallContext context) =>
        Math.Max(1, _engine.NowMicros + Math.Min(ServerLimits.LongestDeadline.Ticks, (context.Deadline - DateTime.UtcNow).Ticks) / TicksPerMicro);

    /// <summary>Waits until a sequence is durable, at most as long as the call may take.</summary>
    /// <exception cref="RpcException">It did not come in time.</exception>
    public async ValueTask WaitForAsync(long minSequence, ServerCallContext context)
    {
        if (_engine.View.DurableSequence >= minSequence) return;
        using var patience = new CancellationTokenSource(ServerLimits.MinSequenceWait, _time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.CancellationToken, Stopping);
        try
        {
            await _engine.View.WaitForAsync(minSequence, any.Token);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            if (Stopping.IsCancellationRequested) throw Errors.Exception(ErrorReason.EngineDraining);
            var durable = _engine.View.DurableSequence;
            throw Errors.Status(ErrorReason.DeadlinePassed,
                string.Create(CultureInfo.InvariantCulture, $"The engine did not come to min_sequence {minSequence} in {ServerLimits.MinSequenceWait.TotalSeconds} s; it is at {durable}."),
                ("min_sequence", Texts.Etag(minSequence)), ("durable_sequence", Texts.Etag(durable))).ToException();
        }
    }
}
