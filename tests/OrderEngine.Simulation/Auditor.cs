// Knows what clients were told and what the journal held when it was published, and finds every contradiction. Shares no code with the
// engine: it reads events with the classes generated from the contract and keeps books of its own.

using Google.Protobuf;
using OrderEngine.Contracts.Journal;

namespace OrderEngine.Simulation;

/// <summary>The engine broke a promise.</summary>
internal sealed class BrokenPromiseException : Exception
{
    public BrokenPromiseException(string promise, string detail) : base($"{promise}: {detail}") => Promise = promise;

    /// <summary>Which one; a shrunk history must break the same.</summary>
    public string Promise { get; }
}

/// <summary>What a client asked, over all its attempts.</summary>
internal sealed class Asked(string id, bool binds)
{
    public string Id { get; } = id;

    /// <summary>Whether the request carries a request id, so that its answer must never change.</summary>
    public bool Binds { get; } = binds;

    public int Attempts { get; set; }

    /// <summary>Attempts known to have left no trace.</summary>
    public int NotApplied { get; set; }

    public string? Outcome { get; set; }
    public ByteString? Event { get; set; }
}

internal sealed class Auditor
{
    private readonly SortedDictionary<long, ByteString> _facts = [];
    private readonly Dictionary<long, ulong> _hashes = [];
    private readonly HashSet<ByteString> _neverApplied = [];
    private long _acknowledged;

    /// <summary>Who was told of, and who was erased.</summary>
    public PersonBook Persons { get; } = new();

    /// <summary>What happened to which order.</summary>
    public OrderBook Orders { get; } = new();

    public long Answers { get; private set; }
    public long Refusals { get; private set; }
    public long UnknownAttempts { get; private set; }

    /// <summary>The last sequence known to be durable.</summary>
    public long Known { get; private set; }

    /// <summary>A client got an answer.</summary>
    /// <param name="asked">What it asked.</param>
    /// <param name="outcome">The outcome's name.</param>
    /// <param name="sequence">The answer's sequence.</param>
    /// <param name="bytes">The event that answers; empty: the answer binds nothing.</param>
    /// <param name="durable">What the journal had made durable when the answer came, whatever the engine shows.</param>
    public void Answered(Asked asked, string outcome, long sequence, ReadOnlySpan<byte> bytes, long durable)
    {
        if (outcome == "InternalError") throw new BrokenPromiseException("internal error", asked.Id);
        if (sequence > durable) throw new BrokenPromiseException("answered before durable", $"{asked.Id} at {sequence}, durable is {durable}");
        _acknowledged = Math.Max(_acknowledged, sequence);
        if (outcome == "Ok") Answers++;
        else Refusals++;
        if (bytes.Length > 0)
        {
            var e = Event.Parser.ParseFrom(bytes);
            if ((long)e.Sequence > durable) throw new BrokenPromiseException("answered before durable", $"{asked.Id} by event {e.Sequence}, durable is {durable}");
            Fact((long)e.Sequence, ByteString.CopyFrom(bytes));
        }
        if (!asked.Binds) return;
        if (asked.Event is not null && (asked.Outcome != outcome || !asked.Event.Span.SequenceEqual(bytes)))
            throw new BrokenPromiseException("another answer to the same request", $"{asked.Id}: {asked.Outcome}, now {outcome}");
        if (asked.Event is null && bytes.Length > 0) (asked.Outcome, asked.Event) = (outcome, ByteString.CopyFrom(bytes));
    }

    /// <summary>Another request came under a request id that is bound.</summary>
    public void AnsweredImpostor(Asked asked, string outcome)
    {
        if (outcome is "RequestIdReused" or "QueueFull" or "EngineDraining") return;
        throw new BrokenPromiseException("a request id was used twice", $"{asked.Id}: {outcome}");
    }

    /// <summary>A client sends a request, perhaps again.</summary>
    public void Sent(Asked asked, ByteString requestKey)
    {
        asked.Attempts++;
        _neverApplied.Remove(requestKey);
    }

    /// <summary>An attempt was withdrawn, or refused unseen: it must leave no trace.</summary>
    public void NotApplied(Asked asked, ByteString requestKey)
    {
        asked.NotApplied++;
        if (asked.NotApplied == asked.Attempts) _neverApplied.Add(requestKey);
    }

    /// <summary>The process died with this attempt under way.</summary>
    public void Lost() => UnknownAttempts++;

    /// <summary>The journal gave a batch of durable events.</summary>
    public void Stored(ReadOnlySpan<byte> payload, long first, long last)
    {
        var due = first;
        var stored = new CodedInputStream(payload.ToArray());
        while (stored.ReadTag() != 0)
        {
            var bytes = stored.ReadBytes();
            var e = Event.Parser.ParseFrom(bytes);
            if ((long)e.Sequence != due++) throw new BrokenPromiseException("a gap in the journal", $"{e.Sequence} instead of {due - 1}");
            if (e.Origin is { RequestKey.Length: > 0 } origin && _neverApplied.Contains(origin.RequestKey))
                throw new BrokenPromiseException("a withdrawn request was applied", $"sequence {e.Sequence}");
            Fact((long)e.Sequence, bytes);
            Known = Math.Max(Known, (long)e.Sequence);
        }
        if (due != last + 1) throw new BrokenPromiseException("a gap in the journal", $"the batch {first}-{last} ends at {due - 1}");
    }

    /// <summary>The state's hash was published.</summary>
    public void Published(long sequence, ulong hash)
    {
        if (_hashes.TryGetValue(sequence, out var before) && before != hash) throw new BrokenPromiseException("another state at the same sequence", $"{sequence}");
        _hashes[sequence] = hash;
    }

    /// <summary>An engine serves, at this sequence.</summary>
    public void Started(long sequence)
    {
        if (sequence < _acknowledged) throw new BrokenPromiseException("acknowledged and missing", $"{_acknowledged} was acknowledged, {sequence} is there");
    }

    /// <summary>A subscriber got a page.</summary>
    public void Page(Followed followed, IReadOnlyList<ReadOnlyMemory<byte>> events, long through, long durable)
    {
        foreach (var bytes in events)
        {
            var e = Event.Parser.ParseFrom(bytes.Span);
            var sequence = (long)e.Sequence;
            if (sequence > durable) throw new BrokenPromiseException("a stream shows what is not durable", $"{sequence} of {durable}");
            if (sequence <= followed.Last) throw new BrokenPromiseException("a stream repeats or runs back", $"{sequence} after {followed.Last}");
            if (!followed.Wants(e)) throw new BrokenPromiseException("a stream shows what was not asked for", $"{sequence}");
            Gapless(followed, followed.Last + 1, sequence - 1);
            Fact(sequence, ByteString.CopyFrom(bytes.Span));
            followed.Last = sequence;
        }
        if (through < followed.Last) throw new BrokenPromiseException("a stream's position runs back", $"{through} after {followed.Last}");
        Gapless(followed, followed.Last + 1, through);
        followed.Last = through;
    }

    /// <summary>The stock that follows from everything durable, checked at every event.</summary>
    public StockBook Book()
    {
        var book = new StockBook();
        long due = 1;
        foreach (var (sequence, bytes) in _facts)
        {
            if (sequence != due++) throw new BrokenPromiseException("a gap in what was seen", $"{sequence} instead of {due - 1}");
            book.Add(Event.Parser.ParseFrom(bytes));
        }
        return book;
    }

    // What lies between two events of a stream must not have matched.
    private void Gapless(Followed followed, long first, long last)
    {
        for (var sequence = first; sequence <= last; sequence++)
            if (_facts.TryGetValue(sequence, out var bytes) && followed.Wants(Event.Parser.ParseFrom(bytes)))
                throw new BrokenPromiseException("a gap in a stream", $"{sequence} was not shown");
    }

    /// <summary>What a guest says, who orders under this id.</summary>
    public static string PersonOf(string externalOrderId) => $"somebody who ordered {externalOrderId} and lives in a street";

    private void Fact(long sequence, ByteString bytes)
    {
        if (!_facts.TryGetValue(sequence, out var known))
        {
            _facts.Add(sequence, bytes);
            var e = Event.Parser.ParseFrom(bytes);
            Persons.Add(e);
            Orders.Add(e, bytes);
        }
        else if (!known.Equals(bytes)) throw new BrokenPromiseException("a durable event has changed", $"sequence {sequence}");
    }
}

/// <summary>What a subscriber has got.</summary>
internal sealed class Followed(uint channel)
{
    /// <summary>0: all channels.</summary>
    public uint Channel { get; } = channel;

    public long Last { get; set; }

    public bool Wants(Event e) => e.Order != 0 && (Channel == 0 || e.Channel == Channel);
}
