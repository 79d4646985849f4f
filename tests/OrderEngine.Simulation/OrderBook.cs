// The auditor's book of orders: every order has all that happened to it, and is found by its number and by its external id, in memory or in the archive.

using System.Text;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;

namespace OrderEngine.Simulation;

/// <summary>How somebody reads orders of an engine.</summary>
internal interface IOrders
{
    /// <summary>An order's events as they stand at a sequence, oldest first.</summary>
    List<ByteString> HistoryOf(long order, long at);

    /// <summary>The order with this external id; 0: none.</summary>
    long Find(int channel, byte[] externalId);
}

internal sealed class OrderBook
{
    private readonly SortedDictionary<ulong, SortedDictionary<ulong, ByteString>> _histories = [];
    private readonly Dictionary<(uint Channel, string Id), ulong> _ids = [];

    /// <summary>Orders that left memory, each time counted.</summary>
    public int Archived { get; private set; }

    /// <summary>Orders that came back.</summary>
    public int Restored { get; private set; }

    /// <summary>A durable event.</summary>
    public void Add(Event e, ByteString bytes)
    {
        if (e.BodyCase == Event.BodyOneofCase.OrderArchived) Archived++;
        if (e.BodyCase == Event.BodyOneofCase.OrderRestored) Restored++;
        if (e.Order == 0) return;
        if (!_histories.TryGetValue(e.Order, out var history)) _histories.Add(e.Order, history = []);
        history.Add(e.Sequence, bytes);
        if (e.OrderSubmitted is not { } submitted || _ids.TryAdd((e.Channel, submitted.ExternalOrderId), e.Order)) return;
        throw new BrokenPromiseException("an external id was taken twice", $"{submitted.ExternalOrderId} by orders {_ids[(e.Channel, submitted.ExternalOrderId)]} and {e.Order}");
    }

    /// <summary>Compares every order.</summary>
    /// <param name="at">The sequence to look at.</param>
    /// <param name="engine">Reads the engine's.</param>
    public void Check(long at, IOrders engine)
    {
        foreach (var (order, history) in _histories)
        {
            var known = history.Where(entry => entry.Key <= (ulong)at).Select(entry => entry.Value).ToList();
            if (known.Count == 0) continue;
            var shown = engine.HistoryOf((long)order, at);
            if (!shown.SequenceEqual(known)) throw new BrokenPromiseException("an order is not what it was", $"order {order}: {shown.Count} events, not the {known.Count} that were durable");
        }
        foreach (var ((channel, id), order) in _ids)
        {
            if (_histories[order].Keys.First() <= (ulong)at && engine.Find((int)channel, Encoding.UTF8.GetBytes(id)) is var found && found != (long)order)
                throw new BrokenPromiseException("an order is not found by its external id", $"{id}: order {found}, not {order}");
        }
    }
}
