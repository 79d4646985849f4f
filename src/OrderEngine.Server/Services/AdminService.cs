// AdminService: for those who run the engine. Status answers at any time; the rest once the engine serves.

using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.AdminService.</summary>
internal sealed class AdminService(EngineCalls calls, LogLevels levels, ILogger<AdminService> logger) : V1.AdminService.AdminServiceBase
{
    /// <summary>The program's version, as in GetEngineStatus and the log.</summary>
    public static readonly string Version =
        typeof(AdminService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static readonly Timestamp StartTime = Timestamp.FromDateTime(Process.GetCurrentProcess().StartTime.ToUniversalTime());

    private int _verifying;
    private int _backingUp;

    /// <inheritdoc/>
    public override Task<EngineStatus> GetEngineStatus(GetEngineStatusRequest request, ServerCallContext context)
    {
        var engine = calls.Engine;
        var summary = engine.View.Summary;
        var recovery = engine.Recovery;
        var reader = calls.Reader;
        var status = new EngineStatus
        {
            Phase = calls.Stopping.IsCancellationRequested ? V1.EnginePhase.Draining
                : engine is { Phase: Engine.EnginePhase.Serving, Disk.IsLow: true } ? V1.EnginePhase.LowDisk : (V1.EnginePhase)engine.Phase,
            RecoveredBytes = recovery.BytesDone,
            RecoveryTotalBytes = recovery.BytesTotal,
            RecoverySeconds = recovery.Seconds,
            Sequence = summary.Sequence,
            StateHash = summary.StateHash.ToString("x16", CultureInfo.InvariantCulture),
            Orders = summary.Orders,
            OpenReservations = summary.OpenReservations,
            Stock = new StockTotals { OnHand = summary.OnHand, Reserved = summary.Committed, Backordered = summary.Backordered, Held = summary.Held },
            Skus = reader.Skus.Count,
            Locations = reader.Locations.Count,
            Channels = reader.Channels.Count,
            Customers = reader.Customers.Count,
            QueueLength = engine.QueueLength(Lane.Normal) + engine.QueueLength(Lane.Priority),
            QueueCapacity = 2 * (engine.QueueCapacity(Lane.Normal) + engine.QueueCapacity(Lane.Priority)),
            OrderSubscribers = engine.Orders.Count,
            StockSubscribers = engine.Stock.Count,
            JournalBytes = engine.JournalBytes,
            StateBytes = engine.StateBytes,
            ProcessBytes = Environment.WorkingSet,
            StartTime = StartTime,
            Version = Version,
            SnapshotSequence = engine.Snapshot.Sequence,
            SnapshotBytes = engine.Snapshot.Bytes,
            SnapshotAgeSeconds = engine.Snapshot.AgeSeconds,
            JournalFirstSequence = engine.Journal?.FirstSequence ?? 0,
            DiskFreeBytes = engine.Disk.FreeBytes,
            DiskLowBytes = engine.Disk.LowBytes,
        };
        foreach (var (owner, lag) in engine.Orders.Slowest(ServerLimits.SlowestTold)) status.SlowestSubscribers.Add(new V1.SubscriberLag { Rpc = "WatchOrders", Client = owner, Events = lag });
        foreach (var (owner, lag) in engine.Stock.Slowest(ServerLimits.SlowestTold)) status.SlowestSubscribers.Add(new V1.SubscriberLag { Rpc = "WatchStock", Client = owner, Events = lag });
        return Task.FromResult(status);
    }

    /// <inheritdoc/>
    public override async Task<VerifyInvariantsResponse> VerifyInvariants(VerifyInvariantsRequest request, ServerCallContext context)
    {
        if (Interlocked.Exchange(ref _verifying, 1) != 0) throw Errors.Exception(ErrorReason.AlreadyRunning);
        try
        {
            // A thread of its own: the walk takes long and must hold its guard, which belongs to one thread.
            var report = await Task.Factory.StartNew(Verify, context.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            var response = new VerifyInvariantsResponse
            {
                Sequence = report.Sequence, OrdersChecked = report.Orders, StockLevelsChecked = report.StockLevels, ReservationsChecked = report.Reservations,
            };
            response.Violations.Add(report.Violations);
            return response;
        }
        finally
        {
            Volatile.Write(ref _verifying, 0);
        }
    }

    /// <inheritdoc/>
    public override async Task<CreateCheckpointResponse> CreateCheckpoint(CreateCheckpointRequest request, ServerCallContext context)
    {
        // Goes on to its end whatever becomes of the call.
        var result = await calls.Engine.CreateCheckpointAsync().WaitAsync(context.CancellationToken);
        return result.Status switch
        {
            CheckpointStatus.Created or CheckpointStatus.Unchanged => new CreateCheckpointResponse
            {
                Sequence = result.Snapshot!.Sequence,
                Bytes = result.Snapshot.Bytes,
                Created = result.Status == CheckpointStatus.Created,
                JournalFirstSequence = calls.Engine.Journal?.FirstSequence ?? 0,
            },
            CheckpointStatus.AlreadyRunning => throw Errors.Exception(ErrorReason.AlreadyRunning),
            CheckpointStatus.Failed => throw Errors.Status(ErrorReason.CheckpointFailed, result.Reason).ToException(),
            _ => throw Errors.Exception(calls.Engine.Phase == Engine.EnginePhase.Recovering ? ErrorReason.EngineRecovering : ErrorReason.EngineDraining),
        };
    }

    /// <inheritdoc/>
    public override Task<SetLogLevelResponse> SetLogLevel(SetLogLevelRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        if (request.Category.Length is 0 or > ServerLimits.LogCategoryChars || !request.Category.All(c => char.IsAsciiLetterOrDigit(c) || c == '.'))
            violations.Add("category", "must be 1 to 128 ASCII letters, digits and dots");
        if (!System.Enum.IsDefined(request.Level)) violations.Add("level", "must be a level that this server knows");
        violations.ThrowIfAny();
        var who = Grant.Current.Caller.IsTrusted ? "a caller without a credential" : Grant.Current.Caller.Name;
        if (request.Level == LogThreshold.Unspecified)
        {
            levels.Set(request.Category, null);
            ServerLog.LogLevelReset(logger, request.Category, who);
        }
        else
        {
            // Both count from trace on, the contract one higher.
            var level = (LogLevel)(request.Level - 1);
            levels.Set(request.Category, level);
            ServerLog.LogLevelChanged(logger, request.Category, level, who);
        }
        var response = new SetLogLevelResponse();
        foreach (var (category, level) in levels.Changed) response.Changed.Add(new CategoryLevel { Category = category, Level = (LogThreshold)(level + 1) });
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task ExportEvents(ExportEventsRequest request, IServerStreamWriter<ExportedEvents> responseStream, ServerCallContext context)
    {
        var violations = new Violations();
        if (request.FromSequence < 1) violations.Add("from_sequence", "must be at least 1");
        violations.ThrowIfAny();
        return new EventTransfer(calls).ExportAsync(request, responseStream, context);
    }

    /// <inheritdoc/>
    public override Task<ImportEventsResponse> ImportEvents(IAsyncStreamReader<ImportEventsRequest> requestStream, ServerCallContext context) =>
        new EventTransfer(calls).ImportAsync(requestStream, context);

    /// <inheritdoc/>
    public override async Task CreateBackup(CreateBackupRequest request, IServerStreamWriter<BackupPart> responseStream, ServerCallContext context)
    {
        if (Interlocked.Exchange(ref _backingUp, 1) != 0) throw Errors.Exception(ErrorReason.AlreadyRunning);
        try
        {
            await new BackupTransfer(calls).SendAsync(responseStream, context);
        }
        finally
        {
            Volatile.Write(ref _backingUp, 0);
        }
    }

    /// <inheritdoc/>
    public override Task ExportKeys(ExportKeysRequest request, IServerStreamWriter<KeysPart> responseStream, ServerCallContext context) =>
        new BackupTransfer(calls).SendKeysAsync(responseStream, context);

    /// <inheritdoc/>
    public override async Task<ListExceptionsResponse> ListExceptions(ListExceptionsRequest request, ServerCallContext context)
    {
        var list = ListRequests.Map(request, calls.Reader);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        if (list.Query.Order != 0 && !calls.Reader.Order(list.Query.Order, at).Exists) throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));
        var page = calls.Reader.ListExceptions(list.Query, at, list.Token.A, list.Size, ServerLimits.ListLooks);
        var response = new ListExceptionsResponse { Sequence = at };
        foreach (var number in page.Numbers) response.Exceptions.Add(FollowUpReads.Exception(calls.Reader, number, at));
        if (page.After != 0) response.NextPageToken = (list.Token with { A = page.After }).ToString();
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ResolveExceptionResponse> ResolveException(ResolveExceptionRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(ListRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context);
        var sequence = EventView.SequenceOf(answer.Event.Span);
        return new ResolveExceptionResponse { ExceptionId = request.ExceptionId, Sequence = sequence, Etag = Texts.Etag(sequence), Replayed = answer.Replayed };
    }

    /// <inheritdoc/>
    public override async Task<Stats> GetStats(GetStatsRequest request, ServerCallContext context)
    {
        var query = StatsQuery.Read(request, calls.Reader);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        return StatsReads.Stats(calls.Reader, in query, calls.Engine.View.DurableSequence);
    }

    private InvariantReport Verify()
    {
        using var guard = calls.Reader.Enter();
        return Invariants.Check(calls.Reader, calls.Engine.View.DurableSequence);
    }
}
