// Owns how the tests run orderctl: in this process, with strings for streams, and a directory of its own.
using System.Text.Json.Nodes;
using OrderEngine.Cli;

namespace OrderEngine.Client.Tests;

internal sealed record CtlRun(int Code, string Out, string Error)
{
    /// <summary>The lines of standard output, each of which must be JSON.</summary>
    public IReadOnlyList<JsonObject> Json => [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
}

internal static class Ctl
{
    public static async Task<CtlRun> RunWithInputAsync(string? address, string input, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal { In = new StringReader(input), Out = output, Error = error };
        var all = address is null ? args : [.. args, "--address", address];
        var code = await App.RunAsync(all, terminal);
        return new CtlRun(code, output.ToString(), error.ToString());
    }

    public static Task<CtlRun> RunAsync(string? address, params string[] args) => RunWithInputAsync(address, "", args);
}

/// <summary>A directory that is gone afterwards.</summary>
internal sealed class Scratch : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("orderctl-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
