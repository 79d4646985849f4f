// The command line: run, compare, versus, smoke, noop, peers, list. Results go to stdout, progress and errors to stderr.

using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using OrderEngine.Load.Comparing;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.NoOp;
using OrderEngine.Load.Reports;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load;

/// <summary>The commands.</summary>
public static partial class LoadCommands
{
    private const int SmokeSeconds = 1;
    private const int MaxTick = 1_000;

    /// <summary>Runs a command line; the answer is an exit code.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var root = new RootCommand("Puts load on an OrderEngine server and measures it. docs/LOAD.md explains scenarios and reports.");
        root.Subcommands.Add(Run(output, errors));
        root.Subcommands.Add(Compare(output, errors));
        root.Subcommands.Add(VersusCommand(output, errors));
        root.Subcommands.Add(Smoke(output, errors));
        root.Subcommands.Add(NoOp(output));
        root.Subcommands.Add(PeersCommand(output, errors));
        root.Subcommands.Add(List(output));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await errors.WriteLineAsync(error.Message);
            await errors.WriteLineAsync("--help shows what there is.");
            return ExitCodes.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, EnableDefaultExceptionHandler = false }, cancellationToken);
        }
        catch (Exception exception) when (exception is RpcException or TimeoutException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            await errors.WriteLineAsync(exception is RpcException rpc ? $"the server said {rpc.StatusCode}: {rpc.Status.Detail}" : exception.Message);
            return ExitCodes.CannotRun;
        }
        catch (OperationCanceledException)
        {
            await errors.WriteLineAsync("stopped");
            return ExitCodes.CannotRun;
        }
    }

    private static Command Run(TextWriter output, TextWriter errors)
    {
        var scenario = new Argument<string>("scenario") { Description = "one of: " + string.Join(", ", ScenarioCatalog.Names) };
        scenario.AcceptOnlyFromAmong([.. ScenarioCatalog.Names]);
        var address = new Option<string>("--address") { Description = "where the server is", DefaultValueFactory = _ => Client.OrderEngineClient.DefaultAddress };
        address.Validators.Add(result =>
        {
            if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                result.AddError("--address must be http://host:port or https://host:port");
        });
        var seconds = Seconds(10);
        var warmUp = WarmUp(10);
        var copies = Positive<int>("--copies", "closed loop: so many copies instead of the scenario's own number");
        var rate = Positive<double>("--rate", "open loop: so many runs a second instead of the scenario's own load");
        var tick = new Option<double>("--tick")
        {
            Description = "open loop: milliseconds that the generator sleeps at least; what is due meanwhile goes out together, late by up to as much. 0: each when it is due",
            DefaultValueFactory = _ => OpenLoop.DefaultTick.TotalMilliseconds,
        };
        tick.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is < 0 or > MaxTick) result.AddError($"--tick must be 0 to {MaxTick}");
        });
        var disk = new Option<string?>("--disk") { Description = "a directory on the server's disk: its flush is timed before and after the load" };
        var connections = Positive<int>("--connections", "connections that the copies share, instead of the scenario's own number");
        var client = ClientOption();
        var hot = new Option<bool>("--hot") { Description = "half of all lines on 10 SKUs" };
        var openOrders = Positive<int>("--open-orders", "make so many orders first, which stay open");
        var backorders = Positive<int>("--backorders", "make so many orders first that wait for one SKU; one in twenty of those measured joins them");
        var ledger = new Option<LedgerMode>("--ledger") { Description = "how the server is read back: snapshot, lookup, off", DefaultValueFactory = _ => LedgerMode.Snapshot };
        var pid = Positive<int>("--server-pid", "the server's process, when it is not found by its port");
        var thresholds = new Option<string[]>("--threshold") { Description = "for example p99Ms<=50, failed=0, best.ordersPerSecond>=10000; may be repeated; instead of failed=0 and refused=0" };
        thresholds.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                try
                {
                    Threshold.Parse(token.Value);
                }
                catch (FormatException exception)
                {
                    result.AddError(exception.Message);
                }
            }
        });
        var (json, report) = (Json(), Report());
        var command = new Command("run", "Runs one scenario against a server that is there.")
        {
            scenario, address, seconds, warmUp, copies, rate, tick, disk, connections, client, hot, openOrders, backorders, ledger, pid, thresholds, json, report,
        };
        command.SetAction(async (parsed, token) =>
        {
            var settings = new RunSettings
            {
                Address = parsed.GetRequiredValue(address),
                During = TimeSpan.FromSeconds(parsed.GetRequiredValue(seconds)),
                WarmUp = TimeSpan.FromSeconds(parsed.GetRequiredValue(warmUp)),
                Copies = parsed.GetValue(copies),
                Rate = parsed.GetValue(rate),
                Tick = TimeSpan.FromMilliseconds(parsed.GetRequiredValue(tick)),
                Disk = parsed.GetValue(disk),
                Connections = parsed.GetValue(connections),
                Client = parsed.GetValue(client),
                Hot = parsed.GetValue(hot),
                OpenOrders = parsed.GetValue(openOrders) ?? 0,
                Backorders = parsed.GetValue(backorders) ?? 0,
                Ledger = parsed.GetRequiredValue(ledger),
                ServerPid = parsed.GetValue(pid),
            };
            var name = parsed.GetRequiredValue(scenario);
            IReadOnlyList<Threshold> rules = parsed.GetValue(thresholds) is { Length: > 0 } given
                ? [.. given.Select(Threshold.Parse)]
                : LoadRun.DefaultThresholds(ScenarioCatalog.Create(name)!);
            using var progress = NewProgress(errors);
            var result = await LoadRun.RunAsync(name, settings, rules, progress.Begin, token);
            await output.WriteLineAsync(MarkdownReport.Render(result));
            await WriteAsync(parsed.GetValue(json), result);
            await WriteReportsAsync(parsed.GetValue(report), [result]);
            return ExitCodes.Of(result);
        });
        return command;
    }

    private static Command Compare(TextWriter output, TextWriter errors)
    {
        var seconds = Seconds(5);
        var warmUp = WarmUp(2);
        var rounds = new Option<int>("--rounds") { Description = "how often everything is measured; figures are medians", DefaultValueFactory = _ => 3 };
        rounds.Validators.Add(AtLeastOne<int>("--rounds"));
        var scenarios = ScenarioList();
        var withPeers = new Option<bool>("--peers") { Description = "in each round also PostgreSQL and Redis on the same work, where a scenario has such peers" };
        var folder = Folder();
        var clients = PeerClients(ComparisonSettings.DefaultPeerClients);
        var client = ClientOption();
        var (server, data, json, report) = (Server(), Data(), Json(), Report());
        var command = new Command("compare", "Starts the engine and the no-op server itself and measures them by turns.")
        {
            seconds, warmUp, rounds, scenarios, client, withPeers, folder, clients, server, data, json, report,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(folder) is { Implicit: false } && !result.GetValue(withPeers)) result.AddError("--folder goes with --peers");
        });
        command.SetAction(async (parsed, token) =>
        {
            var settings = new ComparisonSettings
            {
                Scenarios = Chosen(parsed.GetValue(scenarios)),
                Rounds = parsed.GetRequiredValue(rounds),
                Client = parsed.GetValue(client),
                During = TimeSpan.FromSeconds(parsed.GetRequiredValue(seconds)),
                WarmUp = TimeSpan.FromSeconds(parsed.GetRequiredValue(warmUp)),
                DataRoot = parsed.GetRequiredValue(data),
                ServerDll = ServerProcess.FindServer(parsed.GetValue(server)),
                PeersFolder = parsed.GetValue(withPeers) ? Peers.FindFolder(parsed.GetValue(folder)) : null,
                PeerClients = parsed.GetRequiredValue(clients),
            };
            if (parsed.GetValue(withPeers) && NoPeers(settings) is { Count: > 0 } missing)
            {
                foreach (var what in missing) await errors.WriteLineAsync(what);
                await errors.WriteLineAsync("Nothing was measured; without --peers it needs none of this.");
                return ExitCodes.CannotRun;
            }
            using var progress = NewProgress(errors);
            var result = await Comparison.RunAsync(settings, progress.Say, progress.Begin, token);
            await output.WriteLineAsync(ComparisonTable.Render(result));
            await WriteAsync(parsed.GetValue(json), result);
            await WriteReportsAsync(parsed.GetValue(report), result.Runs);
            return Worst(result.Runs, result.Errors.Count);
        });
        return command;
    }

    private static Command VersusCommand(TextWriter output, TextWriter errors)
    {
        var scenario = new Argument<string>("scenario") { Description = "one that runs in a closed loop, submit-unary for example" };
        scenario.AcceptOnlyFromAmong([.. ScenarioCatalog.Names]);
        var (server, data, json) = (Server(), Data(), Json());
        var against = new Option<string>("--against") { Description = "OrderEngine.Server.dll of the other build", Required = true };
        var turns = new Option<int>("--turns") { Description = "turns of each build", DefaultValueFactory = _ => 40 };
        turns.Validators.Add(AtLeastOne<int>("--turns"));
        var milliseconds = new Option<int>("--milliseconds") { Description = "of a turn", DefaultValueFactory = _ => 500 };
        milliseconds.Validators.Add(AtLeastOne<int>("--milliseconds"));
        var warmUp = WarmUp(12);
        var client = ClientOption();
        var copies = Positive<int>("--copies", "so many copies instead of the scenario's own number");
        var command = new Command("versus", "Measures two builds of the engine by turns of half a second: this one first, --against second.")
        {
            scenario, server, against, turns, milliseconds, warmUp, copies, client, data, json,
        };
        command.SetAction(async (parsed, token) =>
        {
            var result = await Versus.RunAsync(new VersusSettings
            {
                Scenario = parsed.GetRequiredValue(scenario),
                Servers = [ServerProcess.FindServer(parsed.GetValue(server)), ServerProcess.FindServer(parsed.GetRequiredValue(against))],
                DataRoot = parsed.GetRequiredValue(data),
                Turns = parsed.GetRequiredValue(turns),
                Client = parsed.GetValue(client),
                During = TimeSpan.FromMilliseconds(parsed.GetRequiredValue(milliseconds)),
                WarmUp = TimeSpan.FromSeconds(parsed.GetRequiredValue(warmUp)),
                Copies = parsed.GetValue(copies),
            }, token);
            await output.WriteLineAsync(result.ToString());
            foreach (var failure in result.Failures) await errors.WriteLineAsync(failure);
            await WriteAsync(parsed.GetValue(json), result);
            return result.Failures.Count == 0 ? ExitCodes.Passed : ExitCodes.LedgerFailed;
        });
        return command;
    }

    // Said before anything is measured: a comparison takes long.
    private static IReadOnlyList<string> NoPeers(ComparisonSettings settings)
    {
        if (settings.PeersFolder is null) return [NoScripts];
        var groups = settings.Scenarios.SelectMany(name => PeerPlan.Of(name, settings.PeerClients)).Select(peer => peer.Ask.Group).Distinct().ToList();
        return groups.Count == 0 ? ["None of these scenarios has a peer."] : [.. groups.SelectMany(Peers.Missing).Distinct()];
    }

    private static Command Smoke(TextWriter output, TextWriter errors)
    {
        var scenarios = ScenarioList();
        var (server, data, json) = (Server(), Data(), Json());
        var command = new Command("smoke", "Runs every scenario for about a second on an engine of its own, with the ledger check; judges no times.") { scenarios, server, data, json };
        command.SetAction(async (parsed, token) =>
        {
            var settings = new ComparisonSettings
            {
                Scenarios = Chosen(parsed.GetValue(scenarios)),
                During = TimeSpan.FromSeconds(SmokeSeconds),
                WarmUp = TimeSpan.Zero,
                DataRoot = parsed.GetRequiredValue(data),
                ServerDll = ServerProcess.FindServer(parsed.GetValue(server)),
            };
            using var progress = NewProgress(errors);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            var results = new List<RunResult>();
            await using (var engine = ServerProcess.Engine(settings.ServerDll, settings.DataRoot))
            {
                foreach (var name in settings.Scenarios)
                {
                    try
                    {
                        results.Add(await Comparison.MeasureAsync(name, engine, settings, progress.Say, null, token));
                    }
                    catch (MeasurementException exception)
                    {
                        progress.Say(exception.Message);
                    }
                }
            }
            await WriteAsync(parsed.GetValue(json), results);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{results.Count(r => r.Passed)} of {settings.Scenarios.Count} scenarios passed in {clock.Elapsed.TotalSeconds:0} s, {results.Sum(r => r.Ledger.Confirmed):N0} orders confirmed"));
            return Worst(results, settings.Scenarios.Count - results.Count);
        });
        return command;
    }

    private static int Worst(IReadOnlyList<RunResult> results, int notMeasured) =>
        notMeasured > 0 ? ExitCodes.CannotRun : results.Select(ExitCodes.Of).DefaultIfEmpty(ExitCodes.CannotRun).Max();

    private static Command NoOp(TextWriter output)
    {
        var port = new Option<int>("--port") { Description = "on 127.0.0.1; 0 takes a free one", DefaultValueFactory = _ => 5090 };
        var command = new Command("noop", "Serves the contract, keeps nothing and answers at once: the ceiling.") { port };
        command.SetAction(async (parsed, token) =>
        {
            await NoOpServer.RunAsync(parsed.GetRequiredValue(port), output, token);
            return ExitCodes.Passed;
        });
        return command;
    }

    private static Command PeersCommand(TextWriter output, TextWriter errors)
    {
        var folder = Folder();
        var seconds = Seconds(5);
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 1 };
        var clients = PeerClients("32");
        var (data, json) = (Data(), Json());
        var command = new Command("peers", "Measures PostgreSQL and Redis on the same work with the peers' own scripts, where they are present.") { folder, seconds, rounds, clients, data, json };
        command.SetAction(async (parsed, token) =>
        {
            if (Peers.FindFolder(parsed.GetValue(folder)) is not { } scripts)
            {
                await errors.WriteLineAsync(NoScripts);
                return ExitCodes.CannotRun;
            }
            var lines = new List<PeerLine>();
            foreach (var group in (string[])["pg", "redis"])
            {
                var missing = Peers.Missing(group);
                foreach (var what in missing) await errors.WriteLineAsync($"{group} not measured: {what}");
                if (missing.Count > 0) continue;
                lines.AddRange(await Peers.RunAsync(scripts, new PeerAsk(group, "uniform hot", parsed.GetRequiredValue(clients)), (int)Math.Ceiling(parsed.GetRequiredValue(seconds)),
                    parsed.GetRequiredValue(rounds), parsed.GetRequiredValue(data), line => errors.WriteLine(ComparisonTable.Peer(line)), token));
            }
            foreach (var line in lines) await output.WriteLineAsync(ComparisonTable.Peer(line));
            await WriteAsync(parsed.GetValue(json), lines);
            return lines.Count > 0 ? ExitCodes.Passed : ExitCodes.CannotRun;
        });
        return command;
    }

    private static Command List(TextWriter output)
    {
        var command = new Command("list", "Lists the scenarios.");
        command.SetAction(async (_, _) =>
        {
            foreach (var name in ScenarioCatalog.Names) await output.WriteLineAsync($"{name,-20} {ScenarioCatalog.Create(name)!.Description}");
            return ExitCodes.Passed;
        });
        return command;
    }
}
