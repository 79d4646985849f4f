// Deciding and applying orders, reading their events, and reading orders back; without a journal or a network.

using BenchmarkDotNet.Attributes;
using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Benchmarks;

/// <summary>Execute (decide, encode, apply), in batches of 256. Fresh commands for each iteration: an order can be placed only once.</summary>
[MemoryDiagnoser]
public class CoreSubmit
{
    private const int Batch = 256;
    private const int PerIteration = 100 * Batch;

    private OrderCore _core = null!;
    private EventBuffer _events = null!;
    private SubmitOrder[] _commands = [];
    private int _first;
    private long _now = 1_000_000;

    [GlobalSetup]
    public void Prepare() => (_core, _events) = Orders.Prepared();

    [IterationSetup]
    public void Fill()
    {
        _commands = Orders.Submits(_first, PerIteration);
        _first += PerIteration;
    }

    [Benchmark(OperationsPerInvoke = PerIteration)]
    public long SubmitOrder()
    {
        for (var i = 0; i < _commands.Length; i++)
        {
            _core.Execute(_commands[i], _now += 2, _events);
            if ((i + 1) % Batch != 0) continue;
            _core.Seal();
            _events.Truncate(0);
            _core.Reclaim(_core.Sequence);
        }
        return _core.Sequence;
    }
}

/// <summary>The event codec, reading: a batch of 256 order events, every head and body.</summary>
[MemoryDiagnoser]
public class CodecRead
{
    private const int Batch = 256;

    private byte[] _payload = [];

    [GlobalSetup]
    public void Prepare()
    {
        var (core, events) = Orders.Prepared();
        long now = 1_000_000;
        foreach (var command in Orders.Submits(0, Batch)) core.Execute(command, now += 2, events);
        _payload = events.Written.ToArray();
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public long ReadEvents()
    {
        long sum = 0;
        var events = new EventEnumerator(_payload);
        while (events.MoveNext())
        {
            var view = new EventView(events.Current);
            sum += view.Sequence + view.Body.Length;
        }
        return sum;
    }
}

/// <summary>The read view: an order at the durable sequence, under a guard, and one by its external id.</summary>
[MemoryDiagnoser]
public class ReadView
{
    private const int OrdersHeld = 100_000;

    private OrderCore _core = null!;
    private byte[][] _externalIds = [];
    private long _next;

    [GlobalSetup]
    public void Prepare()
    {
        (_core, var events) = Orders.Prepared();
        var commands = Orders.Submits(0, OrdersHeld);
        long now = 1_000_000;
        for (var i = 0; i < commands.Length; i++)
        {
            _core.Execute(commands[i], now += 2, events);
            if (i % 256 != 255) continue;
            _core.Seal();
            events.Truncate(0);
        }
        _core.Seal();
        _externalIds = [.. commands.Select(c => c.ExternalId)];
    }

    [Benchmark]
    public bool OrderAtSequence()
    {
        using var guard = _core.Reader.Enter();
        return _core.Reader.Order(_next++ * 7919 % OrdersHeld + 1, _core.Sequence).Exists;
    }

    [Benchmark]
    public long OrderByExternalId() => _core.Reader.FindOrder(1, _externalIds[_next++ * 7919 % OrdersHeld]);
}
