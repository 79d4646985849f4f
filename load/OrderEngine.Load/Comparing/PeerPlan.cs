// Which peers stand beside which scenario, and how the scripts are asked for them: the same work, the same durability (on disk before the answer), one
// order a call against one, a hundred against a hundred.

using OrderEngine.Load.Running;

namespace OrderEngine.Load.Comparing;

/// <summary>One call of peers.sh: what it measures, and what narrows it.</summary>
public sealed record PeerAsk(string Group, string Variants, string Clients);

/// <summary>A peer of a scenario. Its lines are those of this name whose variant is <paramref name="Variant"/>, alone or before a comma.</summary>
public sealed record ScenarioPeer(string Name, string Variant, PeerAsk Ask)
{
    public bool Has(PeerLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line.Peer == Name && (line.Variant == Variant || line.Variant.StartsWith(Variant + ",", StringComparison.Ordinal));
    }
}

/// <summary>A peer's line beside what the engine did in the same round.</summary>
public sealed record PeerPair(PeerLine Line, double EngineOrdersPerSecond);

/// <summary>The plan.</summary>
public static class PeerPlan
{
    private const string Uniform = "uniform";

    // The scripts take their own numbers where this is empty, and none where it is blank: then pg measures only its batches, which have numbers of their own.
    private const string NoClients = " ";

    /// <summary>The peers of a scenario; none where nothing does the same work. <paramref name="clients"/>: numbers of clients to try, for calls of one order.</summary>
    public static IReadOnlyList<ScenarioPeer> Of(string scenario, string clients) => scenario switch
    {
        "submit-unary" => [new ScenarioPeer("pg-function", Uniform, new PeerAsk("pg", Uniform, clients))],
        "submit-hot" => [new ScenarioPeer("pg-function", "hot", new PeerAsk("pg", "hot", clients))],
        "submit-stream-100" or "submit-bulk-100" =>
        [
            new ScenarioPeer("pg-batch100", Uniform, new PeerAsk("pg", Uniform, NoClients)),
            new ScenarioPeer("redis-lua-fsync-always", Uniform, new PeerAsk("redis", Uniform, NoClients)),
        ],
        "track" => [new ScenarioPeer("pg-track", "read", new PeerAsk("reads", Uniform, NoClients))],
        "advance" => [new ScenarioPeer("pg-advance", "transition", new PeerAsk("reads", Uniform, NoClients))],
        _ => [],
    };

    /// <summary>A scenario's row of each peer, from the rounds in which both were measured.</summary>
    internal static IReadOnlyList<PeerRow> Rows(IReadOnlyList<PeerPair> pairs) => [.. pairs.GroupBy(p => p.Line.Peer).Select(peer =>
    {
        var ratios = peer.Select(p => p.EngineOrdersPerSecond / p.Line.OrdersPerSecond).ToList();
        return new PeerRow
        {
            Name = peer.Key,
            OrdersPerSecond = Figures.Round(Comparison.Median(peer.Select(p => p.Line.OrdersPerSecond))),
            Ratio = Figures.Round(Comparison.Median(ratios)),
            RatioLowest = Figures.Round(ratios.Min()),
            RatioHighest = Figures.Round(ratios.Max()),
            Rounds = [.. peer.Select(p => p.Line)],
        };
    })];
}

/// <summary>The peers of one round. Scenarios that ask the scripts for the same share the answer, taken beside the first of them.</summary>
internal sealed class PeerRound(Func<PeerAsk, Task<IReadOnlyList<PeerLine>>> measure)
{
    private readonly Dictionary<PeerAsk, Task<IReadOnlyList<PeerLine>>> _measured = [];

    /// <summary>The best line of a peer: numbers of clients and depths of pipelines are the peer's to choose.</summary>
    /// <exception cref="InvalidOperationException">The script failed, or printed nothing of the peer.</exception>
    public async Task<PeerLine> MeasureAsync(ScenarioPeer peer)
    {
        // A script that failed has failed for all that it would have measured.
        if (!_measured.TryGetValue(peer.Ask, out var lines)) _measured[peer.Ask] = lines = measure(peer.Ask);
        return (await lines).Where(peer.Has).MaxBy(l => l.OrdersPerSecond)
            ?? throw new InvalidOperationException($"peers.sh {peer.Ask.Group} printed no line of {peer.Name}, {peer.Variant}");
    }
}
