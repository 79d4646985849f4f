// A worker process and the ledger of what it said it had acknowledged, kept in this process.

using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace OrderEngine.Drills;

internal sealed class Worker : IDisposable
{
    private static readonly string s_dll = Assembly.GetExecutingAssembly().Location;
    private readonly Process _process;
    private readonly Dictionary<long, long> _ledger;

    /// <param name="directory">The data directory.</param>
    /// <param name="ledger">What was acknowledged before; grows.</param>
    /// <param name="wrapper">A command to run it under.</param>
    public Worker(string directory, Dictionary<long, long> ledger, params string[] wrapper)
    {
        _ledger = ledger;
        // Numbers that were under way when the last worker died are asked again first: their fate is unknown.
        var first = Math.Max(1, ledger.Keys.DefaultIfEmpty(0).Max() - 40);
        string[] command = [.. wrapper, Environment.ProcessPath!, "exec", s_dll, "work", directory, first.ToString(CultureInfo.InvariantCulture)];
        _process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Errors = _process.StandardError.ReadToEndAsync();
    }

    public Task<string> Errors { get; }

    /// <summary>Reads until so many more are acknowledged; false when the process ended before.</summary>
    public async Task<bool> ReadAsync(int acknowledgements)
    {
        while (acknowledgements-- > 0)
        {
            if (await _process.StandardOutput.ReadLineAsync() is not { } line) return false;
            Ledgers.Enter(_ledger, line);
        }
        return true;
    }

    public void Signal(string signal) => Tools.Run("kill", $"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Kills it, if it has not ended, and reads what it still said.</summary>
    public async Task<int> EndAsync(bool kill = true)
    {
        if (kill) _process.Kill(entireProcessTree: true);
        await ReadAsync(int.MaxValue);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    /// <summary>Another process asks for everything in the ledger again.</summary>
    public static async Task<(int ExitCode, string Said)> CheckAsync(string directory, IReadOnlyDictionary<long, long> ledger)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["exec", s_dll, "check", directory])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var said = process.StandardOutput.ReadToEndAsync();
        foreach (var (number, sequence) in ledger) await process.StandardInput.WriteLineAsync($"{number} {sequence} .");
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await said);
    }
}

internal static class Tools
{
    /// <summary>Runs a command; fails with what it said unless it exits with 0.</summary>
    public static string Run(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)}: {errors.Result}");
    }

    public static bool Has(string file) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Append("/sbin").Any(folder => File.Exists(Path.Combine(folder, file)));
}
