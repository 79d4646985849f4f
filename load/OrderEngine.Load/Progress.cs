// What the person at the terminal sees while a run goes on: a live table on a terminal, a plain line every two seconds elsewhere. On stderr,
// so that stdout stays for results.

using System.Globalization;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Running;
using Spectre.Console;

namespace OrderEngine.Load;

/// <summary>Shows how a run stands. One at a time.</summary>
public sealed class Progress : IDisposable
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(250);

    private readonly IAnsiConsole? _live;
    private readonly TextWriter _plain;
    private readonly ILoadClock _clock;
    private readonly Timer _timer;
    private readonly Lock _drawing = new();
    private RunProgress? _phase;
    private int _linesDrawn;

    public Progress(TextWriter plain, bool terminal, ILoadClock clock)
    {
        _plain = plain;
        _clock = clock;
        if (terminal) _live = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(plain) });
        _timer = new Timer(_ => Draw(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A phase begins.</summary>
    public void Begin(RunProgress phase)
    {
        lock (_drawing)
        {
            _phase = phase;
            _linesDrawn = 0;
        }
        var interval = _live is null ? PlainInterval : LiveInterval;
        _timer.Change(interval, interval);
    }

    /// <summary>Says a line that stays.</summary>
    public void Say(string line)
    {
        lock (_drawing)
        {
            _phase = null;
            _linesDrawn = 0;
            _plain.WriteLine(line);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Draw()
    {
        lock (_drawing)
        {
            if (_phase is not { } phase) return;
            var recorder = phase.Phase;
            var seconds = Math.Max((_clock.Now - recorder.Start) / 1e9, 1e-3);
            if (recorder.End != long.MaxValue || seconds > phase.During.TotalSeconds + 1) return;
            if (_live is null)
                _plain.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{phase.Scenario} {recorder.Name}: {seconds:0} of {phase.During.TotalSeconds:0} s, {recorder.Main.Items / seconds:N0} {phase.Unit}/s, p50 {recorder.Main.Latency.PercentileMs(50):0.##} ms, p99 {recorder.Main.Latency.PercentileMs(99):0.##} ms, {recorder.Main.Refused:N0} refused, {recorder.Main.Failed:N0} failed"));
            else
                DrawTable(_live, phase, recorder, seconds);
        }
    }

    private void DrawTable(IAnsiConsole console, RunProgress phase, PhaseRecorder recorder, double seconds)
    {
        var table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(string.Create(CultureInfo.InvariantCulture,
            $"{phase.Scenario}, {recorder.Name}: {seconds:0.0} of {phase.During.TotalSeconds:0} s")));
        foreach (var heading in (string[])["step", phase.Unit, "a second", "p50 ms", "p99 ms", "max ms", "refused", "failed"])
            table.AddColumn(new TableColumn(Markup.Escape(heading)) { Alignment = heading == "step" ? Justify.Left : Justify.Right });
        foreach (var step in recorder.Steps)
        {
            string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
            table.AddRow(Markup.Escape(step.Name), Number(step.Items, "N0"), Number(step.Items / seconds, "N0"), Number(step.Latency.PercentileMs(50), "0.##"),
                Number(step.Latency.PercentileMs(99), "0.##"), Number(step.Latency.MaxNanos / 1e6, "0.##"), Number(step.Refused, "N0"), Number(step.Failed, "N0"));
        }
        if (_linesDrawn > 0) console.Cursor.MoveUp(_linesDrawn);
        console.Write(table);
        // Title, three borders, the heading, one line a step.
        _linesDrawn = 5 + recorder.Steps.Count();
    }
}
