// Owns a reading of the Dockerfile that is just good enough to carry out this repository's: FROM, WORKDIR, COPY, RUN, ENV, USER,
// HEALTHCHECK and ENTRYPOINT. Anything else fails the test. One thread.
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OrderEngine.System.Tests.Harness;

/// <summary>A container's file system in a folder, made by the Dockerfile's own steps.</summary>
internal sealed partial class Dockerfile(string folder)
{
    private static readonly HashSet<string> Declarations = ["VOLUME", "EXPOSE"];
    private static readonly HashSet<string> Ignored = ["bin", "obj"]; // as .dockerignore says
    private string _workFolder = "/";

    /// <summary>ENV of the last stage.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public string User { get; private set; } = "";

    public string[] Entrypoint { get; private set; } = [];

    public string[] HealthCheck { get; private set; } = [];

    /// <summary>Carries out the stage "build", and takes from the last one what it declares.</summary>
    public async Task BuildAsync()
    {
        var stage = "";
        var text = Comment().Replace(await File.ReadAllTextAsync(Path.Combine(Setting.Root, "Dockerfile")), "");
        foreach (var line in Continuation().Replace(text, " ").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (instruction, rest) = Split(line);
            if (instruction == "FROM")
                stage = rest.EndsWith(" AS build", StringComparison.Ordinal) ? "build" : "last";
            else if (stage == "build")
                await CarryOutAsync(instruction, rest);
            else
                Declare(instruction, rest);
        }
    }

    /// <summary>A path inside the container, on this machine.</summary>
    public string Outside(string path) => Path.Combine(folder, path.TrimStart('/'));

    /// <summary>A word of a command with the paths of the container replaced.</summary>
    public string Translate(string word) => word.StartsWith("/app", StringComparison.Ordinal) || word.StartsWith("/tls", StringComparison.Ordinal) || word == "/data" ? Outside(word) : word;

    private async Task CarryOutAsync(string instruction, string rest)
    {
        switch (instruction)
        {
            case "WORKDIR":
                Directory.CreateDirectory(Outside(_workFolder = rest));
                break;
            case "COPY":
                var words = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var target = Path.Combine(Outside(_workFolder), words[^1]);
                foreach (var source in words[..^1])
                    Copy(Path.Combine(Setting.Root, source), target);
                break;
            case "RUN":
                var command = string.Join(' ', rest.Split(' ').Select(Translate));
                (await ChildProcess.RunAsync("sh", ["-c", command], BuildEnvironment, Outside(_workFolder), Setting.Patience * 5)).Succeeded();
                break;
            default:
                Assert.Fail($"The test cannot carry out {instruction}.");
                break;
        }
    }

    private void Declare(string instruction, string rest)
    {
        switch (instruction)
        {
            case "ENV":
                foreach (var pair in rest.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    Environment[pair[..pair.IndexOf('=', StringComparison.Ordinal)]] = pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..];
                break;
            case "USER":
                User = rest;
                break;
            case "ENTRYPOINT":
                Entrypoint = JsonSerializer.Deserialize<string[]>(rest)!;
                break;
            case "HEALTHCHECK":
                HealthCheck = JsonSerializer.Deserialize<string[]>(rest[rest.IndexOf('[', StringComparison.Ordinal)..])!;
                break;
            case "COPY":
                Assert.Matches("^--from=build (--chown=1654:1654 )?/(app|data) /(app|data)$", rest); // it is there already
                break;
            default:
                Assert.Contains(instruction, Declarations);
                break;
        }
    }

    // A file goes into the folder, a folder's content too.
    private static void Copy(string source, string target)
    {
        Directory.CreateDirectory(target);
        if (File.Exists(source))
        {
            File.Copy(source, Path.Combine(target, Path.GetFileName(source)));
            return;
        }

        foreach (var file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
        foreach (var inner in Directory.EnumerateDirectories(source).Where(inner => !Ignored.Contains(Path.GetFileName(inner))))
            Copy(inner, Path.Combine(target, Path.GetFileName(inner)));
    }

    // As in a fresh image: what the test runner set for its own build does not count.
    private static readonly Dictionary<string, string?> BuildEnvironment = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["MSBuildSDKsPath"] = null,
        ["MSBuildExtensionsPath"] = null,
        ["MSBUILD_EXE_PATH"] = null,
        ["MSBuildLoadMicrosoftTargetsReadOnly"] = null,
    };

    private static (string Instruction, string Operands) Split(string line) => (line[..line.IndexOf(' ', StringComparison.Ordinal)], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim());

    [GeneratedRegex("^#.*\n", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex("\\\\\n\\s*")]
    private static partial Regex Continuation();
}
