// Owns how the clients in tests/foreign are started, and what they need. Any thread.
namespace OrderEngine.System.Tests.Harness;

/// <summary>A client in another language.</summary>
internal sealed class ForeignClient
{
    private const string DebianPython = "/usr/bin/python3"; // the one for which Debian's packages are installed
    private static readonly string Folder = Path.Combine(Setting.Root, "tests", "foreign");
    private readonly string _program;
    private readonly string _script;
    private readonly bool _generates;

    private ForeignClient(string program, string script, bool generates)
    {
        _program = program;
        _script = Path.Combine(Folder, script);
        _generates = generates;
    }

    public static ForeignClient Python { get; } = new(DebianPython, "python/client.py", generates: true);

    public static ForeignClient Node { get; } = new("node", "node/client.js", generates: false);

    /// <summary>Why Python cannot be used here; null when it can.</summary>
    public static string? PythonMissing { get; } = Directory.Exists("/usr/lib/python3/dist-packages/grpc_tools") && File.Exists(DebianPython)
        ? null : "needs Debian's python3-grpcio and python3-grpc-tools (apt-get install python3-grpcio python3-grpc-tools)";

    /// <summary>Why Node.js cannot be used here; null when it can.</summary>
    public static string? NodeMissing { get; } = Directory.Exists(Path.Combine(Folder, "node", "node_modules", "@grpc"))
        ? null : "needs npm's gRPC packages (npm ci --ignore-scripts --prefix tests/foreign/node)";

    public ChildProcess Start(Server server, string mode, params string[] arguments) =>
        ChildProcess.Start(_program, Arguments(server, mode, arguments), EnvironmentFor(server));

    public Task<Ended> RunAsync(Server server, string mode, params string[] arguments) =>
        ChildProcess.RunAsync(_program, Arguments(server, mode, arguments), EnvironmentFor(server));

    /// <summary>The same with a key of its own.</summary>
    public Task<Ended> RunWithAsync(string credential, Server server, string mode, params string[] arguments)
    {
        var environment = EnvironmentFor(server);
        environment["ORDERENGINE_CREDENTIAL"] = credential;
        return ChildProcess.RunAsync(_program, Arguments(server, mode, arguments), environment);
    }

    // No byte code of ours beside the scripts.
    private static Dictionary<string, string?> EnvironmentFor(Server server) => new()
    {
        ["PYTHONDONTWRITEBYTECODE"] = "1", ["ORDERENGINE_CA"] = server.AuthorityFile, ["ORDERENGINE_CREDENTIAL"] = server.Credential,
    };

    private List<string> Arguments(Server server, string mode, string[] arguments)
    {
        List<string> all = [_script, mode];
        if (_generates)
            all.Add(Directory.CreateDirectory(Path.Combine(server.Folder, "stubs-" + mode)).FullName);
        return [.. all, server.HostAndPort, .. arguments];
    }
}

/// <summary>A test that runs the Python client; in CI it always runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute() => Skip = Setting.IsCi ? null : ForeignClient.PythonMissing;
}

/// <summary>A test that runs the JavaScript client; in CI it always runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute() => Skip = Setting.IsCi ? null : ForeignClient.NodeMissing;
}
