// The feeds without an engine: the test plays writer, publisher and dispatcher, so that every interleaving can be had by choice.
// Its own list of facts tells what each subscriber must get; no code of the feeds is used for that.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Journal;
using Microsoft.Extensions.Logging.Abstractions;

namespace OrderEngine.Engine.Tests;

/// <summary>What a made-up event says; order 0: an event of something else.</summary>
internal sealed record FeedFact(long Sequence, long Order, int Channel, int Customer, OrderState Before, OrderState After);

internal sealed class FeedRig : IDisposable
{
    private readonly Random _random;
    private readonly FeedWindow _window;
    private readonly EngineMetrics _metrics = new();
    private readonly FeedDispatcher _dispatcher;

    public FeedRig(Random random, int windowBatches, int bufferEvents, int maxSubscribers = 1_000)
    {
        _random = random;
        View = new ReadView(new OrderCore().Reader);
        _window = new FeedWindow(windowBatches, 1_000_000);
        Context = new FeedContext(View, _window, Time, _metrics);
        Context.Open(Journal);
        Orders = new OrderFeed(Context, maxSubscribers, bufferEvents);
        Stock = new StockFeed(Context, maxSubscribers);
        _dispatcher = new FeedDispatcher(_window, Orders, Stock, new FailureLatch(new RecordingFailStop(), NullLogger.Instance), NullLogger.Instance);
    }

    public ManualTime Time { get; } = new();
    public MemoryJournal Journal { get; } = new();
    public ReadView View { get; }
    public FeedContext Context { get; }
    public OrderFeed Orders { get; }
    public StockFeed Stock { get; }
    public List<FeedFact> Facts { get; } = [];

    /// <summary>Commits a batch of made-up events: journal, then view, then window.</summary>
    public void Commit(int events) => CommitFacts(Enumerable.Range(0, events).Select(_ => MakeUp()));

    /// <summary>Commits a batch with an event of each of these orders.</summary>
    public void CommitOf(params long[] orders) => CommitFacts(orders.Select(order => Fact(order)));

    /// <summary>Runs the dispatcher until it is closed.</summary>
    public Task RunAsync() => Task.Run(_dispatcher.RunAsync);

    /// <summary>Nothing more will be committed.</summary>
    public void Close() => _dispatcher.Close();

    private void CommitFacts(IEnumerable<FeedFact> facts)
    {
        var buffer = new EventBuffer();
        var first = Facts.Count + 1;
        foreach (var fact in facts) Write(buffer, fact);
        var payload = buffer.Written.ToArray();
        Assert.True(Journal.AppendAsync(new JournalBatch(1, first, Facts.Count, payload)).AsTask().IsCompletedSuccessfully);
        View.Publish(new StateSummary(Facts.Count, 0, 0, 0, 0, 0, 0, 0, 0));
        _window.Add(first, Facts.Count, payload, []);
    }

    public bool Dispatch() => _dispatcher.DispatchNext();

    public void DispatchAll()
    {
        while (Dispatch())
        {
        }
    }

    public void Dispose()
    {
        Context.Dispose();
        _metrics.Dispose();
    }

    /// <summary>What a filter lets through, by its definition.</summary>
    public static bool Wants(OrderFilter filter, FeedFact fact) =>
        fact.Order != 0
        && (filter.Orders.Length == 0 || filter.Orders.Any(order => order == fact.Order))
        && (filter.Channels.Length == 0 || filter.Channels.Any(channel => channel == fact.Channel))
        && (filter.Customers.Length == 0 || filter.Customers.Any(customer => customer == fact.Customer))
        && (filter.States.Length == 0 || filter.States.Any(state => state == fact.Before || state == fact.After));

    private FeedFact MakeUp() => Fact(_random.Next(5) == 0 ? 0 : _random.Next(1, 12));

    private FeedFact Fact(long order)
    {
        var fact = new FeedFact(Facts.Count + 1, order, order == 0 ? 0 : _random.Next(1, 4), order == 0 ? 0 : _random.Next(0, 4),
            (OrderState)_random.Next(0, 10), (OrderState)_random.Next(1, 10));
        Facts.Add(fact);
        return fact;
    }

    private static void Write(EventBuffer buffer, FeedFact fact)
    {
        buffer.BeginEvent();
        buffer.Number(1, fact.Sequence);
        buffer.Number(4, fact.Order);
        buffer.Number(5, fact.Channel);
        buffer.Number(6, fact.Customer);
        if (fact.Order != 0)
        {
            buffer.Number(7, (long)fact.Before);
            buffer.Number(8, (long)fact.After);
        }
        buffer.BeginBody(fact.Order == 0 ? EventKind.StockAdjusted : EventKind.OrderCancelled);
        buffer.EndEvent();
    }
}
