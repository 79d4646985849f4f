// One simulated history: processes start, serve clients, are killed, lose power, meet a bad disk, and start again, while the auditor looks on.
// One thread; every decision is drawn from the choices, so that the same choices give the same history.

using System.Diagnostics.CodeAnalysis;
using OrderEngine.Core;
using OrderEngine.Engine;

namespace OrderEngine.Simulation;

internal sealed partial class Simulation : IDisposable
{
    private const int StepsAtLeast = 200, StepsAtMost = 900;
    private static readonly TimeSpan s_mostForward = TimeSpan.FromHours(12);

    private readonly Choices _choices;
    private readonly FaultCount _faults;
    private readonly Trace _trace;
    private readonly string _root = NewDirectory();
    private readonly SimTime _time = new();
    private readonly Clients _clients;
    private readonly Platter _platter;
    private readonly Auditor _auditor = new();
    private readonly Queue<Request> _setUp;
    private readonly List<Followed> _followed = [new(0), new(1), new(2)];
    private readonly List<(Request Request, bool IsImpostor)> _underWay = [];

    public Simulation(Choices choices, FaultCount faults, Trace trace)
    {
        (_choices, _faults, _trace) = (choices, faults, trace);
        _clients = new Clients(choices);
        _platter = new Platter(choices, faults, trace, _root);
        _setUp = new Queue<Request>(_clients.SetUp());
    }

    public Auditor Auditor => _auditor;

    /// <summary>Damage, lies and errors that a start refused, saying so.</summary>
    public int Detected { get; private set; }

    /// <summary>Damage that a start mended or that touched nothing of worth: everything acknowledged was there.</summary>
    public int Harmless { get; private set; }

    /// <summary>Lives at whose end the journal had been cut at its beginning.</summary>
    public int Truncated { get; private set; }

    /// <summary>Starts from the older snapshot, the newest being damaged.</summary>
    public int FellBack { get; private set; }

    /// <exception cref="BrokenPromiseException">The engine broke a promise.</exception>
    public void Run()
    {
        var lives = 2 + _choices.Next(4);
        for (var life = 0; life < lives; life++)
        {
            // Calm, rough, or rough with a disk that lies once.
            var mood = _choices.Weighted([3, 5, 2]);
            _trace.Line($"--- life {life}, {(mood == 0 ? "calm" : mood == 1 ? "rough" : "a disk that lies")}");
            if (Start(mood) is not { } process) continue;
            Serve(process, StepsAtLeast + _choices.Next(StepsAtMost - StepsAtLeast), mood > 0);
            var lied = process.Disk.HasLied;
            Bury(process);
            if (lied)
            {
                Probe("the disk had lied");
                return;
            }
            for (var probes = _choices.Next(4); probes > 0; probes--) ProbeDamage();
            if (_choices.Next(2) == 0) _platter.Remember();
            if (_setUp.Count == 0 && _choices.Next(2) == 1) LetDaysPass();
        }
        Finish();
    }

    // In memory, if the system offers that.
    private static string NewDirectory() => Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory("/dev/shm/orderengine-simulation-" + Guid.NewGuid().ToString("N")).FullName
        : Directory.CreateTempSubdirectory("orderengine-simulation-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Starts a process; null when it did not come to serving, for a reason that it was given.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A refusal to start may be any exception; the process is over with it.")]
    private SimProcess? Start(int mood)
    {
        var setAside = SetAside();
        var process = New();
        process.Disk.FaultOneIn = mood == 0 ? 0 : 25 + 75 * _choices.Next(3);
        process.Disk.MayLie = mood == 2;
        try
        {
            process.Start();
        }
        catch (Exception refusal)
        {
            var disk = process.Disk;
            if (disk is { IsOff: false, HasFailed: false, HasLied: false }) throw new BrokenPromiseException("a start refused although nothing was damaged", refusal.Message);
            _trace.Line($"did not start: {refusal.GetType().Name}");
            if (disk.IsOff) Bury(process, isPowerCut: true);
            else process.Dispose();
            // What it wrote wrongly while it started may stay.
            if (disk.HasLied) Probe("the disk had lied");
            if (disk.HasLied) throw new EndOfHistoryException();
            return null;
        }
        if (process.Disk is { HasFailed: false, HasLied: false } && SetAside().Except(setAside).Any())
            throw new BrokenPromiseException("a snapshot had its name and not its bytes", "a start set it aside although nothing was damaged");
        Look(process);
        _auditor.Started(process.Engine.View.DurableSequence);
        LookAround(process);
        foreach (var followed in _followed) process.Threads.Within(() => Follow(process, followed));
        return process;
    }

    private string[] SetAside() => Directory.GetFiles(_root, "*.damaged", SearchOption.AllDirectories);

    private SimProcess New()
    {
        _underWay.Clear();
        _readers.Clear();
        _broken = null;
        return new SimProcess(_choices, _faults, _trace, _time, _root);
    }

    /// <summary>Lets the process run until it has done its steps or has ended.</summary>
    private void Serve(SimProcess process, int steps, bool isRough)
    {
        while (steps-- > 0 && IsAlive(process))
        {
            var journal = process.Journal!;
            var threads = process.Threads;
            var rare = isRough ? 1 : 0;
            switch (_choices.Weighted([
                50, threads.Posted > 0 ? 300 : 0, threads.Writer is null ? 0 : 120, process.Disk.PendingSteps > 0 ? 120 : 0,
                journal.IsCommitting ? 120 : 0, threads.Walks > 0 ? 90 : 0, 60, _readers.Count > 0 ? 50 : 0, 30, 2, 3, 15, 4 * rare, 2 * rare, 2 * rare, 2, 8]))
            {
                case 0: Send(process, Fresh()); break;
                case 1: threads.RunPosted(_choices.Next(threads.Posted)); break;
                case 2: threads.StepWriter(_time, () => { }); break;
                case 3: journal.WriteLog(); break;
                case 4: journal.WriteCommit(); break;
                case 5: threads.StepWalk(_choices.Next(threads.Walks)); break;
                case 6: Send(process, Fresh()); break;
                case 7: WakeReader(process); break;
                case 8: _time.Advance(TimeSpan.FromMilliseconds(_choices.Next(2_000))); break;
                case 9: SetClock(); break;
                case 10: CheckPoint(process); break;
                case 11: Repeat(process); break;
                case 12: WriteSlowly(); break;
                case 13: End(process, Fault.Kill); break;
                case 14: End(process, Fault.PowerCut); break;
                case 15: StopGracefully(process); return;
                default: Rest(process); break;
            }
            Look(process);
        }
    }

    /// <summary>False once the process has ended; it may end only with a reason.</summary>
    private bool IsAlive(SimProcess process)
    {
        if (_broken is not null) throw _broken;
        if (process.Disk.IsOff) return false;
        if (process.Failed is null) return true;
        _trace.Line($"ended itself: {process.Failed[..2]}");
        if (process.Failed.Contains("longer than", StringComparison.Ordinal)) _faults.Fired(Fault.SlowWrite);
        else if (process.Disk is { HasFailed: false, HasLied: false }) throw new BrokenPromiseException("the engine ended itself for nothing", process.Failed);
        return false;
    }

    private void End(SimProcess process, Fault how)
    {
        _faults.Fired(how);
        _trace.Line(how.ToString());
        _isPowerCut = how == Fault.PowerCut;
        process.Disk.SwitchOff();
    }

    /// <summary>Ends the process, however it was going to, and lets a power cut do its harm.</summary>
    private void Bury(SimProcess process, bool isPowerCut = false)
    {
        // A crash that the disk drew is a power cut, too.
        isPowerCut |= process.Disk.IsOff && _isPowerCut != false;
        _isPowerCut = null;
        if (process.Journal is { FirstSequence: > 1 }) Truncated++;
        process.Dispose();
        if (isPowerCut) process.Disk.LoseUnflushed();
        foreach (var _ in _underWay) _auditor.Lost();
        _underWay.Clear();
        _outbox.Clear();
    }

    private bool? _isPowerCut;

    private void StopGracefully(SimProcess process)
    {
        _faults.Fired(Fault.GracefulStop);
        _trace.Line("stop");
        var stopping = process.Threads.Within(process.Engine.StopAsync);
        RunUntil(process, () => stopping.IsCompleted, "a stop that does not end");
        if (!IsAlive(process)) return;
        RunUntil(process, () => process.Threads.Posted == 0, "");
        if (_underWay.Count > 0) throw new BrokenPromiseException("stopped without an answer", _underWay[0].Request.Asked.Id);
    }

    /// <summary>Runs what can run, until something comes true or the process has ended.</summary>
    private void RunUntil(SimProcess process, Func<bool> done, string otherwise)
    {
        while (!done() && IsAlive(process))
        {
            var (threads, journal, disk) = (process.Threads, process.Journal!, process.Disk);
            if (threads.Posted > 0) threads.RunPosted(_choices.Next(threads.Posted));
            else if (disk.PendingSteps > 0) journal.WriteLog();
            else if (journal.IsCommitting) journal.WriteCommit();
            else if (threads.Walks > 0) threads.StepWalk(0);
            else if (_readers.Count > 0) WakeReader(process);
            else if (!threads.StepWriter(_time, () => { }) || !HasWork(process) && !done()) throw new BrokenPromiseException("hangs", otherwise);
            Look(process);
        }
    }

    private static bool HasWork(SimProcess process) =>
        process.Threads.Posted > 0 || process.Disk.PendingSteps > 0 || process.Journal!.IsCommitting || process.Threads.Walks > 0;

    /// <summary>A minute and more in which nobody asks for anything.</summary>
    private void Rest(SimProcess process)
    {
        _trace.Line("rest");
        RunUntil(process, () => !HasWork(process) && _underWay.Count == 0, "what was under way");
        if (!IsAlive(process)) return;
        LookAround(process);
        _time.Advance(TimeSpan.FromSeconds(61));
    }

    // Nobody asks anything again that was asked before: its window is over.
    private void LetDaysPass()
    {
        _faults.Fired(Fault.DaysPass);
        _trace.Line("days pass");
        _time.Advance(TimeSpan.FromDays(3));
        _clients.Forget();
    }

    private void SetClock()
    {
        var by = TimeSpan.FromMinutes(1 + _choices.Next(180));
        var forward = _choices.Next(2) == 0 && _time.WallOffset + by < s_mostForward;
        _faults.Fired(forward ? Fault.ClockForward : Fault.ClockBack);
        _trace.Line($"clock {(forward ? "+" : "-")}{by.TotalMinutes} min");
        _time.WallOffset += forward ? by : -by;
    }

    private void CheckPoint(SimProcess process)
    {
        _trace.Line("checkpoint");
        process.Threads.Within(process.Engine.CreateCheckpointAsync);
    }

    private void WriteSlowly()
    {
        _trace.Line("a write that hangs");
        _time.Advance(TimeSpan.FromSeconds(25));
    }

    /// <summary>The auditor reads what was published since it last looked. With a disk that has lied it may not be able to.</summary>
    private void Look(SimProcess process)
    {
        var disk = process.Disk;
        if (disk.IsOff || process.Failed is not null || process.Journal is not { } journal) return;
        var view = process.Engine.View.Summary;
        _auditor.Published(view.Sequence, view.StateHash);
        if (view.Sequence <= _auditor.Known && _looked == process) return;
        var oneIn = disk.FaultOneIn;
        disk.FaultOneIn = 0;
        try
        {
            var from = _looked == process ? Math.Max(journal.FirstSequence, _auditor.Known + 1) : journal.FirstSequence;
            foreach (var batch in journal.Read(from))
            {
                if (batch.FirstSequence > view.Sequence) break;
                _auditor.Stored(batch.Payload.Span, batch.FirstSequence, batch.LastSequence);
            }
        }
        catch (Journal.JournalException) when (disk.HasLied)
        {
            _trace.Line("the journal cannot be read back");
        }
        finally
        {
            disk.FaultOneIn = oneIn;
        }
        _looked = process;
    }

    private SimProcess? _looked;
}

/// <summary>Nothing further can be asked of this history.</summary>
internal sealed class EndOfHistoryException : Exception;
