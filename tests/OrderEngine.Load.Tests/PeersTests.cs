// The peers beside engine and ceiling, with scripts that print known lines: what they are asked, what is made of it, and how they end.

using OrderEngine.Load.Comparing;
using OrderEngine.Load.Reports;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Tests;

public sealed class PeersTests : IDisposable
{
    private const string Asked = """echo "$1 clients=[$CLIENTS] variants=[$VARIANTS] seconds=$SECONDS_PER_RUN rounds=$ROUNDS redis=$REDIS_FSYNC" >> "$(dirname "$0")/asked" """;

    private static readonly PeerAsk s_unary = new("pg", "uniform", "8 32");

    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-peers-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_scripts_are_asked_for_the_same_seconds_and_durability_and_leave_nothing()
    {
        Script("""
            trap 'rm "$SCRATCH/servers-data"; echo "$SCRATCH" >> "$(dirname "$0")/ended"' EXIT
            touch "$SCRATCH/servers-data" "$TMPDIR/notes"
            printf '# peer\tvariant\tclients\torders/s\tp50 ms\tp99 ms\n'
            echo 'waiting for server to start'
            printf 'pg-function\tuniform\t8\t6000\t1.3\t3.5\n'
            printf 'pg-function\tuniform\t32\t6240\t4.9\t11.25\n'
            """);
        var told = new List<PeerLine>();
        var lines = await Peers.RunAsync(_folder, s_unary, 7, 2, _folder, told.Add, CancellationToken.None);
        Assert.Equal([new PeerLine("pg-function", "uniform", 8, 6_000, 1.3, 3.5), new PeerLine("pg-function", "uniform", 32, 6_240, 4.9, 11.25)], lines);
        Assert.Equal(lines, told);
        Assert.Equal("pg clients=[8 32] variants=[uniform] seconds=7 rounds=2 redis=always", Assert.Single(AskedLines()));
        var scratch = File.ReadAllText(Path.Combine(_folder, "ended")).Trim();
        Assert.StartsWith(_folder, scratch, StringComparison.Ordinal);
        Assert.False(Directory.Exists(scratch));
    }

    [Fact]
    public async Task A_script_that_fails_says_what_it_wrote()
    {
        Script("echo 'initdb: no room' >&2; exit 3");
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => Peers.RunAsync(_folder, s_unary, 1, 1, _folder, _ => { }, CancellationToken.None));
        Assert.Contains("peers.sh pg ended with 3: initdb: no room", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_of_nothing_is_a_failure_and_no_peer_to_be_infinitely_better_than()
    {
        Script("""echo 'pgbench: refused' >&2; printf 'pg-function\tuniform\t8\t0\t0.000\t0.000\n'""");
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => Peers.RunAsync(_folder, s_unary, 1, 1, _folder, _ => { }, CancellationToken.None));
        Assert.Contains("pg-function, uniform, 8 clients answered nothing: pgbench: refused", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_comparison_that_is_stopped_lets_the_script_stop_its_servers()
    {
        // As the real ones: a server in a session of its own, which only the script's end stops, and a tool in front that would take for ever.
        Script("""
            setsid sleep 1000 & server=$!
            trap 'kill $server; echo stopped > "$(dirname "$0")/ended"' EXIT
            trap 'exit 130' INT TERM
            printf 'pg-function\tuniform\t8\t6000\t1.3\t3.5\n'
            sleep 1000
            """);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Peers.RunAsync(_folder, s_unary, 1, 1, _folder, _ => stop.Cancel(), stop.Token));
        Assert.Equal("stopped", File.ReadAllText(Path.Combine(_folder, "ended")).Trim());
        Assert.Empty(Directory.GetDirectories(_folder));
    }

    [Fact]
    public void Each_scenario_has_the_peers_that_do_the_same_work_durably()
    {
        static string[] Of(string scenario) => [.. PeerPlan.Of(scenario, "8 32").Select(p => $"{p.Name} {p.Variant} by {p.Ask.Group} {p.Ask.Variants} [{p.Ask.Clients}]")];
        Assert.Equal(["pg-function uniform by pg uniform [8 32]"], Of("submit-unary"));
        Assert.Equal(["pg-function hot by pg hot [8 32]"], Of("submit-hot"));
        Assert.Equal(["pg-batch100 uniform by pg uniform [ ]", "redis-lua-fsync-always uniform by redis uniform [ ]"], Of("submit-stream-100"));
        Assert.Equal(Of("submit-stream-100"), Of("submit-bulk-100"));
        Assert.Equal(["pg-track read by reads uniform [ ]"], Of("track"));
        Assert.Equal(["pg-advance transition by reads uniform [ ]"], Of("advance"));
        Assert.Empty(Of("mixed"));
    }

    [Fact]
    public async Task A_round_asks_once_for_what_two_scenarios_need_and_takes_the_best_of_each_peer()
    {
        var asked = new List<PeerAsk>();
        var round = new PeerRound(ask =>
        {
            asked.Add(ask);
            return Task.FromResult<IReadOnlyList<PeerLine>>(
            [
                Line("pg-track", "read", 8, 20_000), Line("pg-track", "read", 32, 26_000), Line("pg-track", "read", 64, 25_000), Line("pg-advance", "transition", 32, 9_000),
                Line("redis-track", "read,P1", 50, 90_000), Line("redis-lua-fsync-always", "uniform,P1", 50, 19_000), Line("redis-lua-fsync-always", "uniform,P16", 50, 31_000),
                Line("redis-lua-fsync-always", "hot,P16", 50, 33_000), Line("pg-batch100", "uniform", 1, 15_000),
            ]);
        });
        Assert.Equal(26_000, (await round.MeasureAsync(PeerPlan.Of("track", "")[0])).OrdersPerSecond);
        Assert.Equal(9_000, (await round.MeasureAsync(PeerPlan.Of("advance", "")[0])).OrdersPerSecond);
        Assert.Single(asked);
        Assert.Equal(15_000, (await round.MeasureAsync(PeerPlan.Of("submit-stream-100", "")[0])).OrdersPerSecond);
        Assert.Equal(31_000, (await round.MeasureAsync(PeerPlan.Of("submit-stream-100", "")[1])).OrdersPerSecond);
        Assert.Equal(["reads", "pg", "redis"], asked.Select(a => a.Group));
    }

    [Fact]
    public async Task A_peer_that_the_scripts_do_not_print_fails_by_name()
    {
        var round = new PeerRound(_ => Task.FromResult<IReadOnlyList<PeerLine>>([Line("pg-function", "hot", 8, 100)]));
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => round.MeasureAsync(PeerPlan.Of("submit-unary", "8")[0]));
        Assert.Equal("peers.sh pg printed no line of pg-function, uniform", failed.Message);
    }

    [Fact]
    public void The_ratio_is_the_median_of_the_rounds_own_with_the_lowest_and_the_highest()
    {
        // 2, 3 and 10: medians divided by each other would say 4.
        var row = Assert.Single(PeerPlan.Rows([Pair(100, 50), Pair(300, 100), Pair(200, 20)]));
        Assert.Equal(("pg-function", 50, 3, 2, 10), (row.Name, row.OrdersPerSecond, row.Ratio, row.RatioLowest, row.RatioHighest));
        Assert.Equal([50, 100, 20], row.Rounds.Select(r => r.OrdersPerSecond));
    }

    [Fact]
    public void The_table_shows_the_peers_under_the_scenarios()
    {
        var row = Comparison.ToRow([SampleResults.Run()], [], [Pair(500, 100), Pair(500, 250)]);
        var table = ComparisonTable.Render(new ComparisonResult
        {
            Started = DateTimeOffset.UnixEpoch, Machine = new Machine("Processor", 2, "Linux", ".NET 10", 23.5), Seconds = 5, RoundCount = 2, DiskFlush = [],
            Rows = [row], Runs = [], CeilingRuns = [], Errors = ["peers.sh redis ended with 1: no port"],
        });
        Assert.Contains("| submit-unary | pg-function | 175 (100 to 250) | 3.50 (2.00 to 5.00) | uniform, 8 clients |", table, StringComparison.Ordinal);
        Assert.Contains("Not measured: peers.sh redis ended with 1: no port", table, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_is_named_with_what_to_install()
    {
        var (tools, version) = (Path.Combine(_folder, "tools"), Path.Combine(_folder, "postgresql", "15", "bin"));
        IReadOnlyList<string> Missing(string group) => Peers.Missing(group, tools, null, Path.Combine(_folder, "postgresql"));
        Assert.Equal(2, Missing("pg").Count(m => m.Contains("apt-get install postgresql", StringComparison.Ordinal)));
        Assert.Equal(3, Missing("redis").Count(m => m.Contains("apt-get install redis-server redis-tools", StringComparison.Ordinal)));
        Assert.Equal(5, Missing("reads").Count);

        foreach (var tool in (string[])["initdb", "pg_ctl"]) Touch(version, tool);
        Assert.Equal(2, Missing("pg").Count); // pgbench is still missing.
        Touch(version, "pgbench");
        foreach (var tool in (string[])["psql", "redis-server", "redis-cli"]) Touch(tools, tool);
        Assert.Empty(Missing("pg"));
        Assert.Equal("redis-benchmark is not installed: apt-get install redis-server redis-tools", Assert.Single(Missing("reads")));
        Assert.NotEmpty(Peers.Missing("pg", tools, Path.Combine(_folder, "elsewhere"), Path.Combine(_folder, "postgresql")));
    }

    [Theory]
    [InlineData(new[] { "compare", "--peers", "--folder", "/nowhere" }, ExitCodes.CannotRun, "peers.sh was not found")]
    [InlineData(new[] { "compare", "--folder", "/nowhere" }, ExitCodes.Usage, "--folder goes with --peers")]
    public async Task Without_the_scripts_a_comparison_with_peers_does_not_begin(string[] args, int code, string said)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        // The server need not be there: a file stands in for it, and it is never started.
        Assert.Equal(code, await LoadCommands.RunAsync([.. args, "--server", typeof(PeersTests).Assembly.Location], output, errors, CancellationToken.None));
        Assert.Contains(said, errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("round 1", errors.ToString(), StringComparison.Ordinal);
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task A_comparison_measures_engine_ceiling_and_peers_by_turns_and_a_peer_that_fails_takes_nothing_else_with_it()
    {
        // The second round's PostgreSQL dies; Redis lives.
        Script("""
            case $1 in
            pg) n=$(grep -c '^pg ' "$(dirname "$0")/asked")
                [ "$n" -le 1 ] || { echo 'no room' >&2; exit 1; }
                printf 'pg-batch100\tuniform\t1\t100\t1\t2\npg-batch100\tuniform\t8\t200\t1\t2\n';;
            redis) printf 'redis-lua-fsync-always\tuniform,P16\t50\t400\t1\t2\n';;
            esac
            """);
        var said = new List<string>();
        var result = await Comparison.RunAsync(new ComparisonSettings
        {
            Scenarios = ["submit-stream-100"], Rounds = 2, During = TimeSpan.FromSeconds(0.3), WarmUp = TimeSpan.Zero, ServerWarmUp = TimeSpan.FromSeconds(0.1),
            DataRoot = _folder, ServerDll = ServerProcess.FindServer(null), PeersFolder = _folder,
        }, said.Add, null, CancellationToken.None);

        var row = Assert.Single(result.Rows);
        Assert.True(row.Passed);
        Assert.Equal((2, 2), (row.Rounds.Count, row.CeilingRounds.Count));
        Assert.Equal([("pg-batch100", 200, 1), ("redis-lua-fsync-always", 400, 2)], row.Peers.Select(p => (p.Name, p.OrdersPerSecond, p.Rounds.Count)));
        Assert.Equal(row.Rounds[0] / 200, row.Peers[0].Ratio, tolerance: 0.01);
        Assert.Equal(row.Rounds.Average() / 400, row.Peers[1].Ratio, tolerance: 0.01);
        Assert.False(result.Passed);
        Assert.Equal("pg-batch100: peers.sh pg ended with 1: no room", Assert.Single(result.Errors));
        // The first round: engine, ceiling, peers; the second the other way round.
        string[] order = [.. said.Where(s => !s.StartsWith("round", StringComparison.Ordinal))
            .Select(s => s.Contains(" engine ", StringComparison.Ordinal) ? "engine" : s.Contains(" no-op ", StringComparison.Ordinal) ? "no-op" : s.Split(' ')[0])];
        Assert.Equal(
            ["engine", "no-op", "pg-batch100", "pg-batch100", "redis-lua-fsync-always", "pg-batch100:", "redis-lua-fsync-always", "no-op", "engine"], order);
    }

    private static PeerLine Line(string peer, string variant, int clients, double rate) => new(peer, variant, clients, rate, 1, 2);

    private static PeerPair Pair(double engine, double peer) => new(Line("pg-function", "uniform", 8, peer), engine);

    private static void Touch(string folder, string tool)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, tool), "");
    }

    private void Script(string body) => File.WriteAllText(Path.Combine(_folder, "peers.sh"), $"#!/usr/bin/env bash\n{Asked}\n{body}\n");

    private string[] AskedLines() => File.ReadAllLines(Path.Combine(_folder, "asked"));
}
