// Owns the composition of orderctl: the tree of commands, and how what goes wrong becomes a message and an exit code. One thread.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using CsvHelper;
using Grpc.Core;
using OrderEngine.Cli.Commands;
using OrderEngine.Client;
using OrderEngine.Journal;

namespace OrderEngine.Cli;

/// <summary>orderctl as a function from arguments to an exit code.</summary>
internal static class App
{
    /// <summary>Parses and runs one command line.</summary>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var root = BuildRoot(terminal);
        var parsed = root.Parse(args);
        // --help and --version answer on half a command line too.
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            foreach (var error in parsed.Errors)
                await terminal.Error.WriteLineAsync($"orderctl: {error.Message}");
            await terminal.Error.WriteLineAsync($"Try '{Help.PathOf(parsed.CommandResult)} --help'.");
            return ExitCodes.Usage;
        }

        var streams = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false };
        try
        {
            return await parsed.InvokeAsync(streams, cancellationToken);
        }
        finally
        {
            await FlushAsync(terminal);
        }
    }

    private static async Task FlushAsync(Terminal terminal)
    {
        try
        {
            await terminal.Out.FlushAsync(CancellationToken.None);
            await terminal.Error.FlushAsync(CancellationToken.None);
        }
        catch (IOException gone)
        {
            // Whoever read our output has had enough (orderctl journal dump DIR | head): there is nobody left to tell.
            _ = gone;
        }
    }

    /// <summary>The tree of commands.</summary>
    internal static RootCommand BuildRoot(Terminal terminal)
    {
        var root = new RootCommand("orderctl talks to an OrderEngine: everything that its contract offers, for people and for scripts (--json).");
        foreach (var option in Globals.All)
            root.Add(option);
        var run = new Runner(terminal);
        root.Add(OrderCommands.Submit(run));
        root.Add(OrderCommands.Check(run));
        root.Add(OrderCommands.Order(run));
        root.Add(FulfillmentCommands.Release(run));
        root.Add(FulfillmentCommands.Ship(run));
        root.Add(FulfillmentCommands.Recall(run));
        root.Add(FulfillmentCommands.Deliver(run));
        root.Add(FulfillmentCommands.Lose(run));
        root.Add(ReturnCommands.Return(run));
        root.Add(ReserveCommands.Reserve(run));
        root.Add(StockCommands.Stock(run));
        root.Add(FollowCommands.Track(run));
        root.Add(FollowCommands.Watch(run));
        root.Add(CatalogCommands.Catalog(run));
        root.Add(CustomerCommands.Customer(run));
        root.Add(TransferCommands.Import(run));
        root.Add(TransferCommands.Export(run));
        root.Add(ListCommands.Exceptions(run));
        root.Add(ReviewCommands.Rules(run));
        root.Add(DeadlineCommands.Deadlines(run));
        root.Add(AdminCommands.Status(run));
        root.Add(AdminCommands.Health(run));
        root.Add(AdminCommands.Verify(run));
        root.Add(AdminCommands.Checkpoint(run));
        root.Add(JournalCommands.Journal(run));
        root.Add(KeyCommands.Keys(run));
        if (root.Options.OfType<HelpOption>().SingleOrDefault() is { } help)
            help.Action = new Help((HelpAction)help.Action!);
        return root;
    }
}

/// <summary>Runs the body of a command and turns what it throws into a message and an exit code.</summary>
internal sealed class Runner(Terminal terminal)
{
    /// <summary>Gives a command its body.</summary>
    /// <param name="command">The command.</param>
    /// <param name="body">Gets a session and says how it ended.</param>
    /// <param name="retryFor">How long to go on without an engine, unless --retry-for says otherwise; null: without end.</param>
    public Command Does(Command command, Func<Session, CancellationToken, Task<int>> body, TimeSpan? retryFor)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var session = new Session(parsed, terminal, retryFor);
            try
            {
                return await body(session, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
            catch (UsageException wrong)
            {
                terminal.Error.WriteLine($"orderctl: {wrong.Message}");
                return ExitCodes.Usage;
            }
            catch (RpcException refused)
            {
                return session.Refused(OrderEngineError.From(refused));
            }
            catch (Exception failed) when (failed is JournalException or IOException or UnauthorizedAccessException or InvalidDataException or CsvFormatException)
            {
                terminal.Error.WriteLine($"orderctl: {failed.Message}");
                return ExitCodes.Failed;
            }
        });
        return command;
    }

    /// <summary>The same for commands that ask once or change one thing.</summary>
    public Command Does(Command command, Func<Session, CancellationToken, Task<int>> body) => Does(command, body, Session.ShortRetry);
}
