// Owns the progress on standard error: a bar that is redrawn on a terminal, a line now and then elsewhere. Any thread, one at a time.
using System.Diagnostics;
using System.Globalization;

namespace OrderEngine.Cli.Import;

internal sealed class ProgressLine(Terminal terminal, string what, long total)
{
    private const int BarWidth = 30;
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(2);
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _drawn = Stopwatch.GetTimestamp();
    private bool _onLine;

    public void Report(long done)
    {
        if (Stopwatch.GetElapsedTime(_drawn) < (terminal.ErrorIsTerminal ? RedrawEvery : SayEvery))
            return;
        _drawn = Stopwatch.GetTimestamp();
        if (terminal.ErrorIsTerminal)
            Draw(done);
        else
            terminal.Error.WriteLine($"{what}: {Session.Number(done)} of {Session.Number(total)}");
    }

    /// <summary>Ends the line.</summary>
    public void Done(long done)
    {
        var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        if (terminal.ErrorIsTerminal)
            Draw(done);
        Break();
        terminal.Error.WriteLine($"{what}: {Session.Number(done)} in {seconds.ToString("0.0", CultureInfo.InvariantCulture)} s");
    }

    /// <summary>Leaves the bar as it is, so that something else can be said.</summary>
    public void Break()
    {
        if (_onLine)
            terminal.Error.WriteLine();
        _onLine = false;
    }

    private void Draw(long done)
    {
        var filled = total == 0 ? BarWidth : (int)Math.Min(BarWidth, done * BarWidth / total);
        var rate = done / Math.Max(0.001, Stopwatch.GetElapsedTime(_start).TotalSeconds);
        terminal.Error.Write($"\r{what} [{new string('#', filled)}{new string('.', BarWidth - filled)}] {Session.Number(done)}/{Session.Number(total)}  {Session.Number((long)rate)}/s  ");
        _onLine = true;
    }
}
