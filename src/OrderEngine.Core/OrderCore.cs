// The core's front: one object that owns the state, decides commands and applies events. One thread writes (the engine's writer);
// StateReader reads from any thread. No clock, no I/O: time comes in as microseconds since 1970 and never runs backwards.

using OrderEngine.Core.Applying;
using OrderEngine.Core.Deciding;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core;

/// <summary>What a command came to.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Sequence">The last sequence applied when it was done: the answer may be given once this is durable. The sequence of the change
/// itself stands in the event that answers.</param>
/// <param name="Offset">Where the event that answers it lies in the batch's buffer; -1: not in this batch.</param>
/// <param name="Length">Bytes of that event.</param>
/// <param name="Recorded">For a replay: a copy of the event recorded when the request came first; otherwise null.</param>
public readonly record struct Decision(Outcome Outcome, long Sequence, int Offset, int Length, byte[]? Recorded)
{
    /// <summary>True: the recorded answer to an earlier request with the same id.</summary>
    public bool Replayed => Recorded is not null;
}

/// <summary>Figures of the whole state at one sequence.</summary>
/// <param name="Sequence">At which they are true.</param>
/// <param name="Time">Time of the last event, microseconds since 1970.</param>
/// <param name="StateHash">Over all durable state, independent of its layout in memory.</param>
/// <param name="Orders">Orders accepted, ever.</param>
/// <param name="OpenReservations">Reservations that are held.</param>
/// <param name="OnHand">Units on hand, all SKUs and locations.</param>
/// <param name="Committed">Units reserved for orders, released included.</param>
/// <param name="Held">Units held by reservations.</param>
/// <param name="Backordered">Units that orders wait for.</param>
public sealed record StateSummary(long Sequence, long Time, ulong StateHash, long Orders, long OpenReservations,
    long OnHand, long Committed, long Held, long Backordered)
{
    /// <summary>The highest key number that sealed data refers to.</summary>
    public long HighestKey { get; init; }

    /// <summary>Over all counters of statistics, as <see cref="StateHash"/>. Apart from it, since journals of before there were any say the same state.</summary>
    public ulong StatisticsHash { get; init; }

    /// <summary>Orders that are in the archive and not in memory.</summary>
    public long Archived { get; init; }

    /// <summary>Behind the last record of the archive that the state relies on; 0: it relies on none.</summary>
    public long ArchivePosition { get; init; }
}

/// <summary>The core. All members are for the writer's thread but for <see cref="Reader"/>.</summary>
public sealed partial class OrderCore
{
    // Row versions freed a turn: at least this many, and twice as many as the last batch superseded at most, so that none pile up.
    private const int ReclaimedPerTurn = 4_096;
    private int _touched;
    private bool _wasReplayed;
    private readonly EngineState _state;
    private readonly Decider _decider;
    private readonly Applier _applier;

    /// <summary>Creates a core that holds nothing.</summary>
    /// <param name="hash">For the indexes over what clients choose: decides where entries lie in memory and nothing that can be seen.
    /// Null: a known one, for cores that no client reaches.</param>
    public OrderCore(KeyedHash? hash = null)
    {
        _state = new EngineState(hash ?? KeyedHash.Known);
        _decider = new Decider(_state);
        _applier = new Applier(_state);
        Reader = new StateReader(_state);
    }

    /// <summary>The read side; any thread.</summary>
    public StateReader Reader { get; }

    /// <summary>The state itself, for loading a snapshot and for tests.</summary>
    internal EngineState State => _state;

    /// <summary>The last sequence applied.</summary>
    public long Sequence => _state.Sequence;

    /// <summary>The time of the last event, microseconds since 1970: time never runs behind it.</summary>
    public long Time => _state.Time;

    /// <summary>When the next timer is due, microseconds since 1970; <see cref="long.MaxValue"/> when none is pending.</summary>
    public long NextDue => _state.Timers.NextDue;

    /// <summary>True when a queue has stock to hand out: <see cref="Turn"/> has work.</summary>
    public bool HasPendingFills => _state.Queues.AnyPending || _state.Stock.AnyReorder || _state.Plan.Any;

    /// <summary>Stock slots changed since the last <see cref="Seal"/>; for the stock watch. Valid until the next call into the core.</summary>
    public ReadOnlySpan<long> TouchedStock => _state.Stock.Levels.Touched;

    /// <summary>
    /// Decides one command at <paramref name="now"/> and applies what follows from it. The events are appended to <paramref name="events"/>.
    /// A deadline that has passed on the command's object is fired first; the queue of a SKU that has stock to hand out is served first.
    /// </summary>
    /// <exception cref="ApplyException">Applying failed: the process must end.</exception>
    /// <exception cref="Exception">Any other: deciding failed, the command changed neither state nor buffer, and is answered INTERNAL (rule 5).</exception>
    public Decision Execute(Command command, long now, EventBuffer events)
    {
        now = Math.Max(now, _state.Time);
        if (_wasReplayed) GoOn();
        if (!Transitions.Allows(command.Kind, command.Role)) return Answer(Outcome.RoleNotAllowed);
        if (command.RequestKey != 0 && _state.Requests.TryFind(command.RequestKey, now, out var digest, out var recorded))
            return BodyDigest.Differ(digest, command.BodyDigest) ? Answer(Outcome.RequestIdReused) : Replayed(recorded);

        Prepare(command, now, events);
        var start = events.Length;
        Outcome outcome;
        try
        {
            outcome = _decider.Decide(command, now, events);
        }
        catch
        {
            events.Truncate(start);
            throw;
        }
        var offset = _decider.AnswerOffset;
        var length = _decider.AnswerLength;
        ApplyFrom(start, events);
        return new Decision(outcome, _state.Sequence, offset, length, null);
    }

    /// <summary>
    /// Fetches into the cache what a command's ids and stock are looked for in. Called for each of the next few commands: by the time they are executed,
    /// memory has answered. Changes nothing.
    /// </summary>
    public void Prefetch(Command command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.RequestKey != 0) _state.Requests.Prefetch(command.RequestKey);
        if (command is not SubmitOrder submit) return;
        _state.ExternalIds.Prefetch(submit.Channel, submit.ExternalId);
        foreach (ref readonly var line in submit.Lines.AsSpan(0, Math.Min(submit.Lines.Length, Limits.PrefetchedLines)))
            _state.Stock.Levels.PrefetchLatest(_state.Stock.First(line.Sku));
    }

    /// <summary>Decides a submission and changes nothing: the events it would cause are left in <paramref name="scratch"/> (cleared first).</summary>
    public Decision Check(SubmitOrder command, long now, EventBuffer scratch)
    {
        scratch.Truncate(0);
        if (!Transitions.Allows(command.Kind, command.Role)) return Answer(Outcome.RoleNotAllowed);
        var outcome = _decider.Decide(command, Math.Max(now, _state.Time), scratch);
        return new Decision(outcome, _state.Sequence, _decider.AnswerOffset, _decider.AnswerLength, null);
    }

    /// <summary>Does what is due without being asked: fires timers, serves backorder queues; bounded by <see cref="Limits"/>.</summary>
    /// <returns>True when more is left to do now.</returns>
    public bool Turn(long now, EventBuffer events)
    {
        now = Math.Max(now, _state.Time);
        if (_wasReplayed) GoOn();
        var timers = Limits.TimersPerTurn;
        while (timers-- > 0 && _state.Timers.TryDue(now, out var timer)) Fire(in timer, now, events);

        var budget = new ServingBudget(events);
        ServeQueues(null, ref budget, now, events);
        SignalReorders(now, events);
        PlanSupply(now, events);
        return HasPendingFills || _state.Timers.TryDue(now, out _);
    }

    private void SignalReorders(long now, EventBuffer events)
    {
        for (var looks = Limits.ReordersPerTurn; looks > 0 && _state.Stock.TryReorder(out var level); looks--)
        {
            var start = events.Length;
            _decider.SignalReorder(in level, now, events);
            ApplyFrom(start, events);
        }
    }

    /// <summary>Checks what only the writer sees: that queues, timers and counts say what the rows say. For tests; costs a walk over the state.</summary>
    /// <returns>What does not hold; empty when all does.</returns>
    public IReadOnlyList<string> CheckIndexes() => Invariants.CheckIndexes(_state);

    /// <summary>Ends a batch: what was applied since the last call becomes one version of the state. Returns the figures at its end.</summary>
    public StateSummary Seal()
    {
        _touched = _state.TouchedRows;
        return _state.Seal();
    }

    /// <summary>True: rows will soon need more memory, and who asks has another thread call <see cref="MakeMemory"/>, once. Writer only; after a batch.</summary>
    public bool TryOrderMemory() => _state.Heap.TryOrderChunk();

    /// <summary>Gets the memory from the system that would otherwise be waited for in the midst of a command. Any thread, once for each <see cref="TryOrderMemory"/>. Changes no state.</summary>
    public void MakeMemory() => _state.Heap.MakeChunk();

    /// <summary>Frees superseded row versions, and places in indexes, that nobody can see any more, a bounded number.</summary>
    /// <param name="durableSequence">The last sequence published to readers.</param>
    public void Reclaim(long durableSequence)
    {
        var budget = ReclaimedPerTurn + 2 * _touched;
        _state.Reclaimer.Reclaim(durableSequence, budget);
        _state.Index.Settle(_state.Reclaimer.ClearedSequence, budget);
        _state.Exceptions.Settle(_state.Reclaimer.ClearedSequence, budget);
        _state.Complaints.Settle(_state.Reclaimer.ClearedSequence, budget);
    }

    /// <summary>Applies one recorded event: recovery, import, a standby. Events must come in sequence. Call <see cref="Seal"/> now and then.</summary>
    /// <exception cref="ApplyException">The event does not follow or does not fit the state.</exception>
    public void Replay(ReadOnlySpan<byte> eventBytes)
    {
        _applier.Apply(eventBytes);
        _wasReplayed = true;
    }

    // What has to happen before the command is decided: its object's deadline, and those who wait for the stock it wants.
    private void Prepare(Command command, long now, EventBuffer events)
    {
        var budget = new ServingBudget(events);
        switch (command)
        {
            case SubmitOrder submit:
                FireIfPast(submit.Reservation, now, events);
                foreach (ref readonly var line in submit.Lines.AsSpan()) ServeAhead(line.Sku, submit.Customer, submit.RequestedAt, ref budget, now, events);
                break;
            case CreateReservation create:
                foreach (ref readonly var item in create.Items.AsSpan()) ServeAhead(item.Sku, create.Customer, 0, ref budget, now, events);
                break;
            case ReturnCommand onReturn when _state.Return(onReturn.Return).Exists:
                FirePast(_state.Return(onReturn.Return).Head.Order, now, events);
                if (onReturn is ReturnStep { Kind: CommandKind.ApproveReturn } approve) ServeAhead(approve, ref budget, now, events);
                break;
            case ExtendReservation extend: FireIfPast(extend.Reservation, now, events); break;
            case ReleaseReservation release: FireIfPast(release.Reservation, now, events); break;
            case IOrderCommand onOrder:
                FirePast(onOrder.Order, now, events);
                if (command is RecordPayment) ServeAheadOfLate(onOrder.Order, ref budget, now, events);
                if (command is AmendOrder amend) ServeAhead(amend, ref budget, now, events);
                break;
        }
    }

    private void FirePast(long order, long now, EventBuffer events)
    {
        while (_state.Deadlines.TryDue(order, now, out var timer)) Fire(in timer, now, events);
    }

    private void FireIfPast(long reservation, long now, EventBuffer events)
    {
        if (reservation == 0) return;
        // The reminder first, then the end.
        while (_state.Reservation(reservation) is { Exists: true, Head.State: ReservationState.Held } view && view.Head.Timer(reservation) is var timer && timer.Due <= now)
            Fire(in timer, now, events);
    }

    private void Fire(in TimerKey timer, long now, EventBuffer events)
    {
        var start = events.Length;
        _decider.Fire(in timer, now, events);
        ApplyFrom(start, events);
        // It would fire for ever.
        if (_state.Timers.Contains(in timer)) throw new ApplyException($"The timer {timer.Kind} of {timer.Subject} fired and is still pending.");
    }

    private void ApplyFrom(int start, EventBuffer events)
    {
        var written = new EventEnumerator(events.Written[start..]);
        while (written.MoveNext()) _applier.Apply(written.Current);
    }

    private Decision Replayed(ReadOnlySpan<byte> recorded)
    {
        var e = new EventView(recorded);
        var outcome = e.Kind == EventKind.RequestRefused ? RefusedOutcome(e.Body) : Outcome.Ok;
        return new Decision(outcome, _state.Sequence, -1, 0, recorded.ToArray());
    }

    private static Outcome RefusedOutcome(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) return (Outcome)reader.Varint();
            reader.Skip(wireType);
        }
        throw new ApplyException("A recorded refusal says no reason.");
    }

    private Decision Answer(Outcome outcome) => new(outcome, _state.Sequence, -1, 0, null);
}

/// <summary>An event could not be applied: the state can no longer be trusted and the process must end (rule 5).</summary>
public sealed class ApplyException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ApplyException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public ApplyException(string message, Exception innerException) : base(message, innerException) { }
}
