// One commit: the events that the writer decided, and who is to be answered when they are durable.
// Filled by the writer, then handed to the publisher, which gives it back for reuse; never touched by both at once.

using System.Collections.Concurrent;
using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine;

internal sealed class Batch
{
    private Decided[] _answers = new Decided[64];

    /// <summary>Commands to be answered.</summary>
    public ReadOnlySpan<Decided> Answers => _answers.AsSpan(0, Count);

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

    public void Clear()
    {
        Array.Clear(_answers, 0, Count);
        Count = 0;
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
internal sealed class BatchPool
{
    private readonly ConcurrentQueue<Batch> _spare = new();

    public Batch Rent() => _spare.TryDequeue(out var batch) ? batch : new Batch();

    public void Return(Batch batch)
    {
        batch.Clear();
        _spare.Enqueue(batch);
    }
}
