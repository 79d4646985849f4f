// Looking after a history: probes of a damaged disk, which change nothing, and the last audit, which knows no faults.

using System.Diagnostics.CodeAnalysis;
using OrderEngine.Core;
using OrderEngine.Engine;

namespace OrderEngine.Simulation;

internal sealed partial class Simulation
{
    private const int ProbedRequests = 8;
    private bool _isProbing;

    /// <summary>Every order is there with all that happened to it, wherever it lies; whoever was erased is in no file and comes back for nobody; everybody else is there.</summary>
    /// <exception cref="Journal.JournalException">The disk has lied, or is damaged, and the archive says so.</exception>
    private void LookAround(SimProcess process)
    {
        if (process.Disk.IsOff || process.Failed is not null) return;
        // Erased in the same batch, and not answered yet.
        Look(process);
        var oneIn = process.Disk.FaultOneIn;
        process.Disk.FaultOneIn = 0;
        try
        {
            _auditor.Orders.Check(process.Engine.View.DurableSequence, new Orders(process.Engine));
            if (!process.Disk.HasLied) _auditor.Persons.Check(_root, (key, ciphertext) => process.Engine.Vault.TryUnseal(key, ciphertext, out var words) ? words : null);
        }
        catch (Journal.JournalException) when (process.Disk.HasLied && !_isProbing)
        {
            _trace.Line("the archive cannot be read back");
        }
        finally
        {
            process.Disk.FaultOneIn = oneIn;
        }
    }

    private void ProbeDamage()
    {
        var whole = _platter.Copy();
        var snapshots = whole.Keys.Where(path => path.Contains("/snapshots/snapshot.", StringComparison.Ordinal) && !path.EndsWith(".damaged", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var damaged = _platter.Damage(whole);
        // With two of them one may go, whatever the journal still has.
        Probe("damage at rest", mustStart: snapshots.Count > 1 && snapshots.Contains(damaged));
        if (snapshots.Count > 1 && damaged == snapshots[^1]) FellBack++;
        _platter.Restore(whole);
    }

    /// <summary>Starts on a damaged disk: either the start is refused, or nothing that was acknowledged is missing or different.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Any exception of a start is a refusal.")]
    private void Probe(string what, bool mustStart = false)
    {
        var process = New();
        try
        {
            process.Start();
        }
        catch (Exception refusal)
        {
            if (mustStart) throw new BrokenPromiseException("a damaged snapshot kept the engine from starting, with another one there", refusal.Message);
            _trace.Line($"{what}: refused by {refusal.GetType().Name}");
            Detected++;
            process.Dispose();
            return;
        }
        _isProbing = true;
        try
        {
            Look(process);
            _auditor.Started(process.Engine.View.DurableSequence);
            LookAround(process);
            var bound = _clients.Requests.Where(request => request.Asked.Event is not null).ToList();
            for (var i = 0; i < ProbedRequests && bound.Count > 0; i++) Ask(process, bound[_choices.Next(bound.Count)]);
            Harmless++;
            _trace.Line($"{what}: harmless");
        }
        catch (Journal.JournalException unreadable)
        {
            // An order in the archive is damaged, and whoever asks for it is told.
            _trace.Line($"{what}: told by {unreadable.GetType().Name}");
            Detected++;
        }
        finally
        {
            _isProbing = false;
            process.Dispose();
        }
    }

    // A retry of what is bound writes nothing; what the engine does by itself meanwhile is not the auditor's to remember.
    private void Ask(SimProcess process, Request request)
    {
        var asked = process.Threads.Within(async () => await process.Engine.ExecuteAsync(request.Command(), Lane.Normal, 0, default));
        var steps = 10_000;
        while (!asked.IsCompleted && process.Failed is null && steps-- > 0)
        {
            if (process.Threads.Posted > 0) process.Threads.RunPosted(0);
            else if (process.Disk.PendingSteps > 0) process.Journal!.WriteLog();
            else if (process.Journal!.IsCommitting) process.Journal.WriteCommit();
            else if (process.Threads.Walks > 0) process.Threads.StepWalk(0);
            else process.Threads.StepWriter(_time, () => { });
        }
        if (!asked.IsCompletedSuccessfully)
        {
            // A damaged older part of the journal may end it: that is detection.
            if (process.Failed is not null) return;
            if (asked.Exception?.InnerException is Journal.JournalException unreadable) throw unreadable;
            throw new BrokenPromiseException("hangs", $"a retry of {request.Asked.Id}");
        }
        var answer = asked.Result;
        if (answer.Outcome.ToString() != request.Asked.Outcome || !answer.Event.Span.SequenceEqual(request.Asked.Event!.Span))
            throw new BrokenPromiseException("another answer to the same request", $"{request.Asked.Id}: {request.Asked.Outcome}, now {answer.Outcome}");
    }

    /// <summary>Without faults: everything that was ever asked is asked again, holds run out, and the books are compared.</summary>
    private void Finish()
    {
        _trace.Line("--- the last audit");
        var process = Start(0) ?? throw new BrokenPromiseException("hangs", "the last start");
        while (_setUp.TryPeek(out var first)) SendAndWait(process, first);
        foreach (var request in _clients.Requests.Where(request => request.Asked.Attempts > 0).ToList()) SendAndWait(process, request);
        _time.Advance(TimeSpan.FromMinutes(3));
        for (var i = 0; i < 3; i++) process.Threads.StepWriter(_time, () => { });
        StopGracefully(process);
        Bury(process);

        process = Start(0)!;
        LookAround(process);
        var summary = process.Engine.View.Summary;
        var book = _auditor.Book();
        if ((book.OnHand, book.Committed, book.Held) != (summary.OnHand, summary.Committed, summary.Held))
            throw new BrokenPromiseException("the books differ", $"{book.OnHand}, {book.Committed}, {book.Held}; the engine says {summary.OnHand}, {summary.Committed}, {summary.Held}");
        Bury(process);
    }

    private void SendAndWait(SimProcess process, Request request)
    {
        Send(process, request);
        RunUntil(process, () => _underWay.Count == 0, request.Asked.Id);
    }
}
