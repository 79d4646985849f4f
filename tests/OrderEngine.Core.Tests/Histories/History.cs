// Runs one random history on the core and on the model at once and compares after every step. Also keeps every event and every answer, for
// replays and for the codec. One thread.

using OrderEngine.Core.Events;
using OrderEngine.Core.Storage;
using OrderEngine.Core.Tests.Documentation;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal sealed class History
{
    private const int WholeEvery = 40;
    private readonly int _wholeEvery;
    private readonly Tally _tally;
    private readonly CommandMaker _maker;
    private readonly EventBuffer _buffer = new(1024);
    private readonly EventBuffer _scratch = new(1024);
    private readonly Dictionary<UInt128, byte[]> _answers = [];
    private readonly Dictionary<long, OrderState> _states = [];
    private long _now = 1_700_000_000_000_000;
    private int _steps;

    /// <param name="tally">Counts what happens.</param>
    /// <param name="wholeEvery">After so many steps the whole state is compared; after each, what it touched.</param>
    /// <param name="hash">Under which the core finds ids; replays and twins have another one.</param>
    public History(Tally tally, int wholeEvery = WholeEvery, KeyedHash? hash = null)
    {
        Core = new OrderCore(hash ?? KeyedHash.Numbered(1));
        _wholeEvery = wholeEvery;
        _tally = tally;
        _maker = new CommandMaker(Model);
        foreach (var command in CommandMaker.Catalog()) Run(command, _now);
    }

    public OrderCore Core { get; }

    public NaiveModel Model { get; } = new();

    /// <summary>Every event, encoded, in sequence.</summary>
    public List<byte[]> Events { get; } = [];

    /// <summary>What was asked of the core, in order: a command, or (null) turns until nothing is left to do.</summary>
    public List<(Command? Command, long Now)> Calls { get; } = [];

    /// <summary>The clock.</summary>
    public long Now => _now;

    /// <summary>A second core that from now on is given the same; it must answer and write the same, to the byte.</summary>
    public OrderCore? Twin { get; set; }

    /// <summary>One step: the clock moves, a command runs on both sides, and mostly a turn follows, as in the engine's loop.</summary>
    public void Step(int seed)
    {
        var pause = CommandMaker.Pause(seed);
        if (pause > 0) _now += pause;
        Run(_maker.Next(seed), pause < 0 ? _now + pause : _now);
        if ((seed & 3) != 0) Turn();
        if ((seed >> 2 & 3) == 0) Seal();
        if (++_steps % _wholeEvery == 0) StateComparison.Whole(Core, Model);
    }

    /// <summary>Ends a batch and compares the figures of the whole.</summary>
    public StateSummary Seal()
    {
        var summary = Core.Seal();
        Core.Reclaim(summary.Sequence);
        _buffer.Truncate(0);
        Core.Reclaim(summary.Sequence);
        StateComparison.Summary(summary, Model);
        if (Twin is null) return summary;
        Assert.Equal(summary, Twin.Seal());
        Twin.Reclaim(summary.Sequence);
        return summary;
    }

    /// <summary>Turns until nothing is left to do.</summary>
    public void Turn()
    {
        var start = _buffer.Length;
        var first = Events.Count;
        Calls.Add((null, _now));
        Turns.All(Core, _now, _buffer);
        Collect(start);
        if (Twin is not null)
        {
            _scratch.Truncate(0);
            Turns.All(Twin, _now, _scratch);
            CheckTwin(start);
        }
        for (var i = first; i < Events.Count; i++)
            if (new EventView(Events[i]).Kind == EventKind.ReservationExpired) _tally.Add("expired in a turn");
        Model.Turn(_now);
        StateComparison.Touched(Core, Model);
    }

    public void Run(Command command, long now)
    {
        var dryRun = DryRun(command, now);
        var start = _buffer.Length;
        var fills = (Model.Fills, Model.Overtakings);
        Calls.Add((command, now));
        var decision = Core.Execute(command, now, _buffer);
        Collect(start);
        if (Twin is not null)
        {
            _scratch.Truncate(0);
            var twin = Twin.Execute(command, now, _scratch);
            CheckTwin(start);
            Assert.Equal((decision.Outcome, decision.Sequence, decision.Length), (twin.Outcome, twin.Sequence, twin.Length));
            Assert.Equal(decision.Recorded, twin.Recorded);
        }
        var answer = Model.Execute(command, now);
        Assert.Equal((answer.Outcome, answer.Replayed), (decision.Outcome, decision.Replayed));
        Assert.Equal(Core.Sequence, decision.Sequence);
        StateComparison.Touched(Core, Model);
        if (dryRun is not null && !answer.Replayed) Assert.Equal(dryRun, _buffer.Written[start..].ToArray());
        CheckAnswer(command, decision);

        _tally.Add("commands");
        _tally.Add($"{command.Kind} {answer.Outcome}");
        _tally.Add(answer.Replayed ? $"replayed {answer.Outcome}" : $"outcome {answer.Outcome}");
        _tally.Add("filled ahead of a command", Model.Fills - fills.Fills);
        if (answer is { Outcome: Outcome.Ok, Replayed: false } && command is SubmitOrder) TallyOrder(Model.Orders[^1]);
    }

    /// <summary>Says what the run has seen at its end.</summary>
    public void TallyWhole()
    {
        _tally.Add("fills", Model.Fills);
        _tally.Add("overtakings", Model.Overtakings);
        _tally.Add("filled whole", Model.FilledWhole);
        _tally.Add("looked at what was added", Model.AddedServed);
        _tally.Add("waited with the rest for what was added", Model.PassedForAdded);
        _tally.Add("earmarked", Model.Earmarked);
        foreach (var kind in Model.Reminded) _tally.Add($"reminded {kind}");
        foreach (var kind in Model.Missed) _tally.Add($"missed {kind}");
        foreach (var hold in Model.HeldByAmendment) _tally.Add($"held by an amendment for {hold}");
        _tally.Add("windows over with a return open", Model.WindowsOver);
        _tally.Add("resolved by the engine", Model.ResolvedByEngine);
        foreach (var exception in Model.Exceptions) _tally.Add($"raised {exception.Kind}");
        _tally.Add("shortfalls over", Model.ShortfallsOver);
        _tally.Add("exchanges credited", Model.ExchangesFallen);
        foreach (var exception in Model.Exceptions.Where(e => e.Kind == ExceptionKind.Shortfall)) _tally.Add($"shortfall {exception.Grade}");
        _tally.Add("reorders", Model.Reorders);
        _tally.Add("promises made", Model.PromisesMade);
        _tally.Add("promises moved", Model.PromisesMoved);
        foreach (var request in Model.Requests) _tally.Add(request.Quantity > 0 ? $"supply request open, {request.Kind}" : request.Announced > 0 ? "supply request answered" : "supply request closed");
        _tally.Add("deallocations", Model.Deallocations);
        foreach (var order in Model.Orders) _tally.Add($"state {order.State}");
        _tally.Add("reinstated", Model.Orders.Count(o => o.ExpiredUnpaid && o.State is not (OrderState.Expired or OrderState.Cancelled)));
        _tally.Add("over the credit limit", Model.Orders.Count(o => o.Reasons.Contains("credit")));
        foreach (var made in Model.Returns) _tally.Add($"return {made.State}");
        _tally.Add("exchanges", Model.Returns.Count(r => r.Replacement != 0));
        foreach (var reservation in Model.Reservations) _tally.Add($"reservation {reservation.State}");
    }

    // When nothing waits for a turn, a dry run must say to the byte what the submission then does.
    private byte[]? DryRun(Command command, long now)
    {
        if (command is not SubmitOrder { Reservation: 0 } submit || Core.HasPendingFills) return null;
        var sequence = Core.Sequence;
        var decision = Core.Check(submit, now, _scratch);
        Assert.Equal(sequence, Core.Sequence);
        return decision.Outcome is Outcome.RoleNotAllowed or Outcome.RequestIdReused || Replayable(command) ? null : _scratch.Written.ToArray();
    }

    private bool Replayable(Command command) => _answers.ContainsKey(command.RequestKey);

    // A fresh answer lies where the decision says and carries the request; a replayed one is the recorded bytes.
    private void CheckAnswer(Command command, Decision decision)
    {
        if (decision.Recorded is { } recorded)
        {
            Assert.Equal(_answers[command.RequestKey], recorded);
            return;
        }
        if (decision.Offset < 0) return;
        var bytes = _buffer.Written.Slice(decision.Offset, decision.Length).ToArray();
        var e = new EventView(bytes);
        // Exceptions may follow the answer.
        Assert.InRange(e.Sequence, 1, Core.Sequence);
        Assert.Equal((command.RequestKey, command.Role), (e.RequestKey, e.Role));
        Assert.True(e.Actor.SequenceEqual(command.Actor) && e.Reason.SequenceEqual(command.Reason));
        Assert.Equal(decision.Outcome == Outcome.Ok, e.Kind != EventKind.RequestRefused);
        if (command.RequestKey != 0) _answers[command.RequestKey] = bytes;
    }

    private void CheckTwin(int start) => Assert.True(_buffer.Written[start..].SequenceEqual(_scratch.Written), $"The twin wrote other events after {Events.Count}.");

    private void Collect(int start)
    {
        var events = new EventEnumerator(_buffer.Written[start..]);
        while (events.MoveNext())
        {
            Events.Add(events.Current.ToArray());
            var e = new EventView(events.Current);
            Assert.Equal(Events.Count, e.Sequence);
            if (e.Order == 0) continue;
            Assert.Equal(_states.GetValueOrDefault(e.Order), e.Before);
            Assert.True(StatesDocument.Shows(e.Kind, e.Before, e.After), $"docs/STATES.md does not show {e.Kind} from {e.Before} to {e.After}.");
            _states[e.Order] = e.After;
        }
        foreach (var (order, state) in _states) Assert.Equal(state, Core.Reader.Order(order, Core.Sequence).Head.State);
    }

    private void TallyOrder(ModelOrder order)
    {
        var locations = order.Allocations.GroupBy(a => a.Line).Select(g => g.Count()).DefaultIfEmpty(0).Max();
        _tally.Add($"lines over {locations} locations");
        if (order.Waits) _tally.Add("accepted waiting");
        if (order.Lines.Any(l => l.Cancelled > 0)) _tally.Add("accepted in part");
        if (order.Lines.GroupBy(l => l.Sku).Any(g => g.Count() > 1)) _tally.Add("same SKU on several lines");
    }
}
