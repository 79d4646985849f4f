// A server as it ships, a shop in it, a key that fell into the wrong hands, and a good client; attacks run against it from a second process.

using System.Globalization;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.Attacks;

/// <summary>What an attack came to.</summary>
/// <param name="Before">The good client without it.</param>
/// <param name="During">The good client beside it, while it lasts.</param>
/// <param name="Ending">The good client from then until half a second after the attacker's process is gone, and all his connections with it.</param>
/// <param name="Attacker">What the attacker counted.</param>
/// <param name="MemoryBefore">Bytes resident in the server.</param>
/// <param name="MemoryPeak">The most while it lasted.</param>
/// <param name="Arrived">A good client that connected when it had begun.</param>
/// <param name="MostConnections">Open at once, as the server counts them.</param>
internal sealed record Trial(Service Before, Service During, Service Ending, Counters Attacker, long MemoryBefore, long MemoryPeak, Service Arrived, int MostConnections);

internal sealed class Rig : IAsyncDisposable
{
    private const int OrdersPerSecond = 100;
    private const int Skus = 1_000;
    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(100);
    private const int TicksPerScrape = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan AfterTheEnd = TimeSpan.FromSeconds(0.5);
    private const int StrangersPerSecond = 50;
    private const int StrangersCalls = 10;

    private readonly Server _server;
    private readonly OrderEngineClient _client;
    private readonly Dictionary<string, string> _keys = [];

    private Rig(Server server, OrderEngineClient client) => (_server, _client) = (server, client);

    public Server Server => _server;

    /// <summary>A server, and a key for each of these attacks: who attacked once is paused for a while, and the next is somebody else.</summary>
    public static async Task<Rig> StartAsync(ITestOutputHelper log, IReadOnlyDictionary<string, string?>? settings = null, params IEnumerable<Attack> attacks)
    {
        var server = await Server.StartSecureAsync(log, settings);
        var client = server.Connect();
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = "l", Location = new Location { LocationId = "MAIN" } });
        foreach (var channel in new[] { "WEB", "EVIL" })
            await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = $"c-{channel}", Channel = new Contracts.V1.Channel { ChannelId = channel } });
        // Enough of them that a list of all is an answer of some size.
        await Task.WhenAll(Enumerable.Range(0, Skus).Select(i => client.Catalog.UpsertSkuAsync(new UpsertSkuRequest
        {
            RequestId = $"s-{i}", Sku = new Sku { SkuId = i == 0 ? "A" : $"SKU-{i}", Name = new string('n', 100) },
        }).ResponseAsync));
        await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = "r", LocationId = "MAIN", Items = { new ReservationItem { SkuId = "A", Quantity = 1_000_000 } } });
        var rig = new Rig(server, client);
        foreach (var attack in attacks.Where(one => one.NeedsKey)) rig._keys.Add(attack.Name, await server.CreateKeyAsync($"evil-{attack.Name}", "submit,reserve,track"));
        return rig;
    }

    /// <summary>The good client alone, then beside the attack.</summary>
    public async Task<Trial> TryAsync(Attack attack, int scale, TimeSpan alone, TimeSpan lasting, bool polite)
    {
        using var client = _server.Connect();
        var good = new GoodClient(client);
        // What a process does for the first time it does slowly: figures are of one that has been at it for a while.
        if (polite) await Task.WhenAll(RunAsync(good, WarmUp), ComeAndGoAsync());
        var before = await RunAsync(good, alone);
        var memory = Memory();
        var peak = memory;
        var connections = 0;

        var seconds = ((int)lasting.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        string[] command = [Setting.Dotnet, "exec", typeof(Rig).Assembly.Location, "attack", attack.Name, new Uri(_server.Address).Port.ToString(CultureInfo.InvariantCulture),
            scale.ToString(CultureInfo.InvariantCulture), seconds, "tls"];
        // Attackers come with machines of their own; here they share the server's. SCHED_IDLE: the attacker's process runs when neither server nor good
        // client has anything to do, so that what it computes is not taken from them, and what it has sent is all that stands against them.
        if (polite) command = ["chrt", "--idle", "0", .. command];
        await using var attacker = ChildProcess.Start(command[0], command[1..], new Dictionary<string, string?> { ["OE_ATTACK_KEY"] = attack.NeedsKey ? _keys[attack.Name] : null });
        // His process needs some time to begin: he goes on for longer than this.
        var serving = RunAsync(good, lasting);
        Task<Service>? last = null;
        using var over = new CancellationTokenSource();
        // Somebody comes anew while it lasts.
        var arriving = ArriveAsync();
        using (var sample = new PeriodicTimer(Sampling))
        {
            for (var tick = 0; !attacker.HasExited; tick++)
            {
                peak = Math.Max(peak, Memory());
                if (serving.IsCompleted) last ??= good.RunAsync(OrdersPerSecond, over.Token);
                if (tick % TicksPerScrape == 0) connections = Math.Max(connections, (int)await MetricAsync("orderengine_connections"));
                await sample.WaitForNextTickAsync(CancellationToken.None);
            }
        }
        var during = await serving;
        last ??= good.RunAsync(OrdersPerSecond, over.Token);
        over.CancelAfter(AfterTheEnd);
        var arrived = await arriving;
        var ended = (await attacker.WaitAsync()).Succeeded();
        return new Trial(before, during, await last, Counters.Parse(ended.Output.Trim().Split('\n')[^1]), memory, peak, arrived, connections);
    }

    // Handshakes and refusals, too, are of a process that has seen some: strangers who connect, are refused some calls and leave.
    private async Task ComeAndGoAsync()
    {
        var target = new Target(new Uri(_server.Address).Port, true, null, 1);
        using var over = new CancellationTokenSource(WarmUp);
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1) / StrangersPerSecond);
        while (!over.IsCancellationRequested)
        {
            await using (var wire = await Wire.OpenAsync(target, new Counters(), CancellationToken.None))
            {
                await wire.Greeted;
                await Slow.AskAsync(wire, target, new Counters(), CancellationToken.None, StrangersCalls);
            }
            await tick.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>A metric of the server, all of its series added up.</summary>
    public async Task<double> MetricAsync(string series)
    {
        using var http = new HttpClient();
        var text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_server.MetricsPort}/metrics"));
        return text.Split('\n').Where(line => line.StartsWith(series, StringComparison.Ordinal)).Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    private static async Task<Service> RunAsync(GoodClient good, TimeSpan lasting)
    {
        using var over = new CancellationTokenSource(lasting);
        return await good.RunAsync(OrdersPerSecond, over.Token);
    }

    /// <summary>Whether a client that comes while all this goes on is served.</summary>
    public async Task<Service> ArriveAsync()
    {
        using var client = _server.Connect();
        return await RunAsync(new GoodClient(client), TimeSpan.FromMilliseconds(100));
    }

    /// <summary>Bytes of the server that lie in memory.</summary>
    public long Memory()
    {
        var line = File.ReadLines($"/proc/{_server.ProcessId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
