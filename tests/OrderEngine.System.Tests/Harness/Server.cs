// Owns one engine for a test: its data directory, its ports and the process that runs on them, which may be killed and started again.
// Used by one test at a time.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.System.Tests.Harness;

/// <summary>A real server process on a data directory of its own.</summary>
internal sealed class Server : IAsyncDisposable
{
    // Below the range from which the system takes ports for outgoing connections: a port that was free stays free.
    private const int FirstPort = 20_000;
    private const int LastPort = 32_000;
    private const int LongestReport = 2_000;
    private const int StartsPerBrokenStart = 5;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly ITestOutputHelper _log;
    private readonly Dictionary<string, string?> _environment;
    private readonly int _port = FreePort();
    private ChildProcess? _process;

    private Server(ITestOutputHelper log, IReadOnlyDictionary<string, string?>? environment)
    {
        _log = log;
        Folder = Directory.CreateTempSubdirectory("orderengine-test-").FullName;
        DataDirectory = Path.Combine(Folder, "data");
        MetricsPort = FreePort();
        _environment = new Dictionary<string, string?>(environment ?? new Dictionary<string, string?>())
        {
            ["OrderEngine__DataDirectory"] = DataDirectory,
            ["OrderEngine__MetricsPort"] = $"{MetricsPort}",
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
        };
    }

    /// <summary>Everything of this engine; gone with it.</summary>
    public string Folder { get; }

    public string DataDirectory { get; }

    public int MetricsPort { get; }

    public string Address => $"{(AuthorityFile is null ? "http" : "https")}://127.0.0.1:{_port}";

    /// <summary>Whom clients are to trust; null: it speaks in the clear and trusts its callers.</summary>
    public string? AuthorityFile { get; private set; }

    /// <summary>A key of operations: everything, in all channels; null: none is wanted.</summary>
    public string? Credential { get; private set; }

    /// <summary>The same without the scheme, as other gRPC libraries want it.</summary>
    public string HostAndPort => $"127.0.0.1:{_port}";

    public int ProcessId => Running.Id;

    private ChildProcess Running => _process ?? throw new InvalidOperationException("The server is not running.");

    /// <summary>A new engine on an empty directory, serving.</summary>
    public static async Task<Server> StartNewAsync(
        ITestOutputHelper log, IReadOnlyDictionary<string, string?>? environment = null, Func<Server, Task>? prepare = null)
    {
        var server = new Server(log, environment);
        try
        {
            if (prepare is not null) await prepare(server);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same as it ships: Production, with TLS and keys.</summary>
    public static async Task<Server> StartSecureAsync(ITestOutputHelper log, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var server = new Server(log, environment);
        try
        {
            await server.SecureAsync();
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a key with orderctl.</summary>
    public async Task<string> CreateKeyAsync(string name, string scopes, string? channel = null)
    {
        string[] bound = channel is null ? ["--all-channels"] : ["--channel", channel];
        var made = await Orderctl.RunAsync(["keys", "create", name, .. bound, "--scopes", scopes, "--file", KeyFile]);
        return made.Succeeded().Output.Trim();
    }

    public string KeyFile => Path.Combine(Folder, "api-keys.json");

    /// <summary>Starts the process and waits until it serves; the time that took.</summary>
    public async Task<TimeSpan> StartAsync()
    {
        var clock = Stopwatch.StartNew();
        Launch();
        await WaitUntilServingAsync();
        return clock.Elapsed;
    }

    /// <summary>Starts the process without waiting for it.</summary>
    /// <param name="under">A program that starts it and leaves its place to it, with arguments; none: nobody.</param>
    public void Launch(params string[] under)
    {
        Assert.True(File.Exists(Setting.ServerDll), $"{Setting.ServerDll} is missing: build the solution first.");
        string[] command = [.. under, Setting.Dotnet, "exec", Setting.ServerDll, "--urls", Address];
        _process = ChildProcess.Start(command[0], command[1..], _environment);
    }

    public async Task WaitUntilServingAsync()
    {
        var clock = Stopwatch.StartNew();
        using var poll = new PeriodicTimer(PollInterval);
        using var channel = OpenChannel();
        var admin = new AdminService.AdminServiceClient(Credential is { } credential ? channel.Intercept(headers =>
        {
            headers.Add("authorization", $"Bearer {credential}");
            return headers;
        }) : channel.CreateCallInvoker());
        while (!await IsServingAsync(admin))
        {
            if (Running.HasExited || clock.Elapsed > Setting.Patience)
                throw new InvalidOperationException($"The server does not serve after {clock.Elapsed}: {Running.Describe()}");
            await poll.WaitForNextTickAsync();
        }
    }

    /// <summary>kill -9, at whatever it is doing.</summary>
    public async Task KillAsync()
    {
        await Running.KillAsync();
        await ForgetAsync();
    }

    /// <summary>After a kill: the journal is whole, and it starts again. One start in so many is killed before it serves, in the middle of recovery.</summary>
    public async Task RestartAsync(Random random)
    {
        if (random.Next(StartsPerBrokenStart) == 0)
        {
            Launch();
            using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(random.Next(1, 600)));
            await moment.WaitForNextTickAsync(); // a point in time is what this draws; nothing is waited for
            await KillAsync();
        }

        _log.WriteLine((await Orderctl.RunAsync("journal", "verify", DataDirectory, "--json")).Succeeded().Output.TrimEnd());
        await StartAsync();
    }

    /// <summary>SIGTERM and the wait for an orderly end.</summary>
    public async Task StopAsync()
    {
        await Running.TerminateAsync();
        var ended = await Running.WaitAsync();
        await ForgetAsync();
        ended.Succeeded();
    }

    public async Task<EngineStatus> StatusAsync()
    {
        using var client = Connect();
        return await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest());
    }

    /// <summary>The library, with short waits between attempts: the server comes back within a second or two.</summary>
    public OrderEngineClient Connect() => new(OpenChannel(), new OrderEngineClientOptions
    {
        Credential = Credential is { } credential ? () => credential : null,
        Retry = new RetrySettings { LongestDelay = TimeSpan.FromMilliseconds(200), Budget = Setting.Patience },
        WatchRetry = new RetrySettings { LongestDelay = TimeSpan.FromMilliseconds(200), Budget = Setting.Patience },
        CallTimeout = Setting.Patience,
        RandomSeed = Setting.Seed,
    });

    /// <summary>Runs orderctl against this engine.</summary>
    public Task<Ended> OrderctlAsync(params string[] arguments) => Orderctl.RunAsync(AuthorityFile is null ? [.. arguments, "--address", Address]
        : [.. arguments, "--address", Address, "--ca", AuthorityFile, "--credential", CredentialFile()]);

    private string CredentialFile()
    {
        var file = Path.Combine(Folder, "credential");
        File.WriteAllText(file, Credential);
        return file;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited)
                await _process.KillAsync();
            await ForgetAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(FirstPort, LastPort);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }

    private async Task SecureAsync()
    {
        using var certificates = new TestCertificates("localhost");
        var certificate = Path.Combine(Folder, "server.pem");
        await File.WriteAllTextAsync(certificate, certificates.ServerPem);
        AuthorityFile = Path.Combine(Folder, "ca.pem");
        await File.WriteAllTextAsync(AuthorityFile, certificates.AuthorityPem);
        _environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        _environment["OrderEngine__TlsCertificate"] = certificate;
        _environment["OrderEngine__ApiKeys"] = KeyFile;
        Credential = await CreateKeyAsync("operations", "admin,stock,submit,reserve,track,fulfil");
    }

    /// <summary>A bare channel, without credentials.</summary>
    public GrpcChannel OpenChannel() => GrpcChannel.ForAddress(Address, new GrpcChannelOptions
    {
        HttpHandler = AuthorityFile is null ? null : Trusting(AuthorityFile),
        DisposeHttpClient = true,
        InitialReconnectBackoff = PollInterval,
        MaxReconnectBackoff = PollInterval * 3,
        MaxReceiveMessageSize = null,
    });

    private static SocketsHttpHandler Trusting(string authorityFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(authorityFile);
        return new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = policy } };
    }

    private static async Task<bool> IsServingAsync(AdminService.AdminServiceClient admin)
    {
        try
        {
            var status = await admin.GetEngineStatusAsync(new GetEngineStatusRequest(), deadline: DateTime.UtcNow + Setting.Patience);
            return status.Phase == EnginePhase.Serving;
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
        {
            return false;
        }
    }

    // What it said goes into the test's output, which a failing test shows. Of one that was killed the end will do.
    private async Task ForgetAsync()
    {
        var said = Running.Describe();
        _log.WriteLine(said.Length <= LongestReport ? said : "..." + said[^LongestReport..]);
        await Running.DisposeAsync();
        _process = null;
    }
}

/// <summary>The command line tool as a process.</summary>
internal static class Orderctl
{
    public static Task<Ended> RunAsync(params string[] arguments) =>
        ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.OrderctlDll, .. arguments], patience: Setting.Patience * 4);

    public static ChildProcess Start(params string[] arguments) =>
        ChildProcess.Start(Setting.Dotnet, ["exec", Setting.OrderctlDll, .. arguments]);
}
