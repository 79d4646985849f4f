// The command line: options that several commands have, and where results go.

using System.CommandLine;
using System.Globalization;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Reports;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load;

public static partial class LoadCommands
{
    private static Option<double> Seconds(double usual)
    {
        var option = new Option<double>("--seconds") { Description = "measured seconds", DefaultValueFactory = _ => usual };
        option.Validators.Add(AtLeastOne<double>("--seconds"));
        return option;
    }

    private static Option<double> WarmUp(double usual)
    {
        var option = new Option<double>("--warm-up") { Description = "seconds of load before, not measured", DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() < 0) result.AddError("--warm-up must not be negative");
        });
        return option;
    }

    private static Option<T?> Positive<T>(string name, string description) where T : struct, IComparable<T>
    {
        var option = new Option<T?>(name) { Description = description };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<T?>() is { } value && value.CompareTo(default) <= 0) result.AddError($"{name} must be above 0");
        });
        return option;
    }

    private static Action<System.CommandLine.Parsing.OptionResult> AtLeastOne<T>(string name) where T : IConvertible => result =>
    {
        if (result.GetValueOrDefault<T>()?.ToDouble(CultureInfo.InvariantCulture) < 1) result.AddError($"{name} must be at least 1");
    };

    private static Option<string[]> ScenarioList()
    {
        var option = new Option<string[]>("--scenarios") { Description = "only these (with spaces or commas between)", AllowMultipleArgumentsPerToken = true };
        option.Validators.Add(result =>
        {
            foreach (var name in result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.RemoveEmptyEntries)))
            {
                if (!ScenarioCatalog.Names.Contains(name)) result.AddError($"there is no scenario '{name}'; there are {string.Join(", ", ScenarioCatalog.Names)}");
            }
        });
        return option;
    }

    private static IReadOnlyList<string> Chosen(string[]? given) => given is { Length: > 0 }
        ? [.. given.SelectMany(g => g.Split(',', StringSplitOptions.RemoveEmptyEntries))]
        : ScenarioCatalog.Names;

    private const string Lean = "lean", GrpcDotnet = "grpc-dotnet";

    private const string NoScripts = "peers.sh was not found in --folder, nor in shared/peers beside the repository; the scripts are not part of it.";

    private static Option<string?> Folder() => new("--folder") { Description = "where peers.sh is; found beside the repository when left out" };

    private static Option<string> PeerClients(string usual) => new("--clients") { Description = "numbers of clients of the peers, with spaces between", DefaultValueFactory = _ => usual };

    private static Option<string?> Server() => new("--server") { Description = "OrderEngine.Server.dll; found in this repository when left out" };

    private static Option<string> Data() => new("--data") { Description = "where data directories are made: the disk to be measured", DefaultValueFactory = _ => Path.GetTempPath() };

    private static Option<ClientKind> ClientOption()
    {
        var option = new Option<ClientKind>("--client")
        {
            Description = "what carries single calls: lean, the tool's own, or grpc-dotnet, the library that an adapter would have and that takes nearly as much of a shared machine as the engine",
            CustomParser = result => result.Tokens[0].Value == GrpcDotnet ? ClientKind.GrpcDotnet : ClientKind.Lean,
        };
        option.AcceptOnlyFromAmong(Lean, GrpcDotnet);
        return option;
    }

    private static Option<string?> Json() => new("--json") { Description = "write the result to this file" };

    private static Option<string?> Report() => new("--report") { Description = "write report.html, report.md, report.csv and report.json into this folder" };

    private static Progress NewProgress(TextWriter errors) => new(errors, !Console.IsErrorRedirected && ReferenceEquals(errors, Console.Error), MachineClock.Instance);

    private static async Task WriteAsync<T>(string? path, T result)
    {
        if (path is not null) await File.WriteAllTextAsync(path, JsonReport.Render(result));
    }

    private static async Task WriteReportsAsync(string? folder, IReadOnlyList<RunResult> results)
    {
        if (folder is null) return;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.html"), HtmlReport.Render(results));
        await File.WriteAllTextAsync(Path.Combine(folder, "report.md"), string.Join("\n", results.Select(MarkdownReport.Render)));
        await File.WriteAllTextAsync(Path.Combine(folder, "report.csv"), CsvReport.Render(results));
        await File.WriteAllTextAsync(Path.Combine(folder, "report.json"), results.Count == 1 ? JsonReport.Render(results[0]) : JsonReport.Render(results));
    }
}
