// One commit: the events that the writer decided, and who is to be answered when they are durable.
// Filled by the writer, then handed to the publisher, which has it answered; whoever gives the last answer gives it back for reuse.

using System.Collections.Concurrent;
using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine;

/// <param name="pool">Where it goes afterwards.</param>
/// <param name="metrics">Count what is answered.</param>
internal sealed class Batch(BatchPool pool, EngineMetrics metrics) : IThreadPoolWorkItem
{
    private Decided[] _answers = new Decided[64];
    private int _calls;
    private int _shares;
    private int _begun;
    private int _left;

    /// <summary>Commands to be answered.</summary>
    public int Count { get; private set; }

    /// <summary>The encoded events; null: nothing to journal.</summary>
    public byte[]? Payload { get; private set; }

    public long FirstSequence { get; private set; }

    public long LastSequence { get; private set; }

    /// <summary>The figures at <see cref="LastSequence"/>; null: nothing changed.</summary>
    public StateSummary? Summary { get; private set; }

    /// <summary>Stock slots that changed.</summary>
    public long[] TouchedStock { get; private set; } = [];

    /// <summary>The import whose last events are in here.</summary>
    public ImportJob? Import { get; set; }

    /// <summary>Those of its commands that are traced; null: none.</summary>
    public List<CommandTrace>? Traces { get; private set; }

    /// <summary>When it was handed over (TimeProvider timestamp).</summary>
    public long HandedOverAt { get; set; }

    public void Add(PendingCommand pending, in Decision decision, byte[]? checkEvent)
    {
        if (Count == _answers.Length) Array.Resize(ref _answers, _answers.Length * 2);
        if (!pending.IsStreamed) _calls++;
        _answers[Count++] = new Decided(pending, pending.Command!.Kind, decision, checkEvent);
    }

    public void Follow(CommandTrace trace) => (Traces ??= []).Add(trace);

    public void Close(byte[] payload, long firstSequence, StateSummary summary, long[] touchedStock)
    {
        Payload = payload;
        FirstSequence = firstSequence;
        LastSequence = summary.Sequence;
        Summary = summary;
        TouchedStock = touchedStock;
    }

    /// <summary>
    /// Answers everybody; not to be touched afterwards. Single calls go on where they are answered, a share of them a thread: queueing each by itself
    /// costs more than what it has left to do. Streams only take notice, so a batch without calls is answered at once. Publisher.
    /// </summary>
    public void Answer(EngineThreads threads)
    {
        _shares = _left = Math.Clamp(_calls / EngineBounds.CallsPerShare, 1, Environment.ProcessorCount);
        _begun = 0;
        if (_calls == 0) AnswerShare();
        else threads.Scatter(this, _shares);
    }

    void IThreadPoolWorkItem.Execute() => AnswerShare();

    private void AnswerShare()
    {
        var share = Interlocked.Increment(ref _begun) - 1;
        var end = (int)((long)Count * (share + 1) / _shares);
        for (var i = (int)((long)Count * share / _shares); i < end; i++)
        {
            ref readonly var decided = ref _answers[i];
            var answer = decided.Answer(Payload);
            metrics.Answered(decided.Kind, answer, decided.Pending.IsCheck);
            decided.Pending.Complete(answer);
        }
        if (Interlocked.Decrement(ref _left) == 0) pool.Return(this);
    }

    public void Clear()
    {
        Array.Clear(_answers, 0, Count);
        Count = _calls = 0;
        Payload = null;
        Summary = null;
        TouchedStock = [];
        Import = null;
        Traces = null;
        FirstSequence = LastSequence = 0;
    }

    /// <param name="Pending">Who waits.</param>
    /// <param name="Kind">What was asked.</param>
    /// <param name="Decision">What it came to.</param>
    /// <param name="CheckEvent">For a dry run: the event that it would have caused.</param>
    internal readonly record struct Decided(PendingCommand Pending, CommandKind Kind, Decision Decision, byte[]? CheckEvent)
    {
        public CommandAnswer Answer(byte[]? payload)
        {
            var bytes = CheckEvent ?? Decision.Recorded;
            var memory = bytes is not null ? bytes : Decision.Offset >= 0 ? payload.AsMemory(Decision.Offset, Decision.Length) : default;
            return new CommandAnswer(Decision.Outcome, Decision.Sequence, memory, Decision.Replayed);
        }
    }
}

/// <summary>Batches for reuse: as many as are in flight, and the one being filled.</summary>
/// <param name="metrics">Of the engine.</param>
internal sealed class BatchPool(EngineMetrics metrics)
{
    private readonly ConcurrentQueue<Batch> _spare = new();

    public Batch Rent() => _spare.TryDequeue(out var batch) ? batch : new Batch(this, metrics);

    public void Return(Batch batch)
    {
        batch.Clear();
        _spare.Enqueue(batch);
    }
}
