// Owns a child process: its output is kept, waiting for it ends at a deadline, and it does not outlive its owner. Any thread.
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace OrderEngine.System.Tests.Harness;

/// <summary>What a process that has ended left behind.</summary>
internal sealed record Ended(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Fails the test with everything the process said unless it exited with 0.</summary>
    public Ended Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException(ToString());

    public override string ToString() => $"{Command}\nexited with {ExitCode}\n--- output\n{Tail(Output)}\n--- errors\n{Tail(Errors)}";

    private static string Tail(string text) => text.Length <= 8_000 ? text : "..." + text[^8_000..];
}

/// <summary>A running process.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lines _output = new();
    private readonly Lines _errors = new();
    private readonly string _command;

    private ChildProcess(Process process, string command)
    {
        _process = process;
        _command = command;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => _output.Text;

    public string Errors => _errors.Text;

    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Setting.Root,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        // Nobody measures these processes: what the compiler would learn of them they do not live long enough to use.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start }, $"{file} {string.Join(' ', start.ArgumentList)}");
        child._process.OutputDataReceived += (_, e) => child._output.Add(e.Data);
        child._process.ErrorDataReceived += (_, e) => child._errors.Add(e.Data);
        child._process.Start();
        child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Starts and waits for the end.</summary>
    public static async Task<Ended> RunAsync(string file, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null, string? folder = null, TimeSpan? patience = null)
    {
        await using var child = Start(file, arguments, environment, folder);
        return await child.WaitAsync(patience);
    }

    /// <summary>Waits for the end and for the rest of the output.</summary>
    public async Task<Ended> WaitAsync(TimeSpan? patience = null)
    {
        using var deadline = new CancellationTokenSource(patience ?? Setting.Patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Still running after {patience ?? Setting.Patience}: {Describe()}");
        }

        return new Ended(_command, _process.ExitCode, Output, Errors);
    }

    /// <summary>The next line of standard output that nobody has read yet.</summary>
    public Task<string> ReadLineAsync() => _output.ReadAsync(this);

    /// <summary>kill -9, and the wait until the process is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await WaitAsync();
    }

    /// <summary>SIGTERM: asks it to stop.</summary>
    public async Task TerminateAsync() => (await RunAsync("kill", ["-TERM", $"{_process.Id}"])).Succeeded();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    public string Describe() =>
        new Ended(_command, _process.HasExited ? _process.ExitCode : -1, Output, Errors).ToString();

    // Lines as they come: all of them as text, and one by one for who waits.
    private sealed class Lines
    {
        private readonly StringBuilder _text = new();
        private readonly Channel<string> _unread = Channel.CreateUnbounded<string>();

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        public void Add(string? line)
        {
            if (line is null)
            {
                _unread.Writer.TryComplete();
                return;
            }

            lock (_text)
                _text.AppendLine(line);
            _unread.Writer.TryWrite(line);
        }

        public async Task<string> ReadAsync(ChildProcess owner)
        {
            using var deadline = new CancellationTokenSource(Setting.Patience);
            try
            {
                return await _unread.Reader.ReadAsync(deadline.Token);
            }
            catch (ChannelClosedException)
            {
                throw new EndOfStreamException("The output has ended: " + owner.Describe());
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("No further line of output: " + owner.Describe());
            }
        }
    }
}
