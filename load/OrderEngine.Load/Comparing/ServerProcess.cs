// A server that the tool starts itself: the engine on a temporary data directory, or the no-op server; each a process of its own.

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OrderEngine.Load.Comparing;

/// <summary>A server process on a free port of 127.0.0.1. Disposing stops it and removes its data.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const int OutputKept = 200;

    private readonly Process _process;
    private readonly Queue<string> _output = new();
    private readonly string? _data;

    private ServerProcess(string name, ProcessStartInfo start, int port, string? data)
    {
        Name = name;
        _data = data;
        Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public string Address { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it last wrote, for messages about its end.</summary>
    public string Output
    {
        get
        {
            lock (_output) return string.Join('\n', _output);
        }
    }

    /// <summary>The engine with an empty data directory below <paramref name="dataRoot"/>.</summary>
    public static ServerProcess Engine(string serverDll, string dataRoot)
    {
        var data = Path.Combine(dataRoot, $"orderengine-load-{Guid.NewGuid():N}");
        Directory.CreateDirectory(data);
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = data };
        start.ArgumentList.Add(serverDll);
        start.ArgumentList.Add("--urls");
        start.ArgumentList.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        start.ArgumentList.Add($"--OrderEngine:DataDirectory={data}");
        start.ArgumentList.Add("--OrderEngine:MetricsPort=0");
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        return new ServerProcess("engine", start, port, data);
    }

    /// <summary>The no-op server: this program.</summary>
    public static ServerProcess NoOp()
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet");
        start.ArgumentList.Add(typeof(ServerProcess).Assembly.Location);
        start.ArgumentList.Add("noop");
        start.ArgumentList.Add("--port");
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        return new ServerProcess("no-op", start, port, null);
    }

    /// <summary>OrderEngine.Server.dll, built along with this program in the same configuration.</summary>
    /// <exception cref="FileNotFoundException">It is not there; the message says how to build it.</exception>
    public static string FindServer(string? given)
    {
        if (given is not null) return File.Exists(given) ? Path.GetFullPath(given) : throw new FileNotFoundException($"--server: there is no file {given}");
        // .../load/OrderEngine.Load/bin/Release/net10.0/ -> .../src/OrderEngine.Server/bin/Release/net10.0/
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var framework = here.Name;
        var configuration = here.Parent?.Name ?? "Release";
        for (var folder = here; folder is not null; folder = folder.Parent)
        {
            var server = Path.Combine(folder.FullName, "src", "OrderEngine.Server", "bin", configuration, framework, "OrderEngine.Server.dll");
            if (File.Exists(server)) return server;
        }
        throw new FileNotFoundException($"OrderEngine.Server is not built: dotnet build -c {configuration} src/OrderEngine.Server, or name it with --server");
    }

    public async ValueTask DisposeAsync()
    {
        await Signals.EndAsync(_process, group: false);
        _process.Dispose();
        if (_data is not null && Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output)
        {
            if (_output.Count == OutputKept) _output.Dequeue();
            _output.Enqueue(line);
        }
    }

    /// <summary>A port of 127.0.0.1 that nobody has just now.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
