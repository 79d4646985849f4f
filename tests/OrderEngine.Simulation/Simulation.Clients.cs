// The simulation's clients at work: requests out and answers in, and the followers of the stream.

using System.Diagnostics.CodeAnalysis;
using OrderEngine.Core;
using OrderEngine.Engine;

namespace OrderEngine.Simulation;

internal sealed partial class Simulation
{
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(30);
    private readonly List<Request> _outbox = [];
    private readonly List<TaskCompletionSource> _readers = [];
    private BrokenPromiseException? _broken;

    /// <summary>The next request that arrives: what was made first may arrive later.</summary>
    private Request? Fresh()
    {
        if (_setUp.TryPeek(out var first)) return _underWay.Exists(sent => sent.Request == first) ? null : first;
        while (_outbox.Count < 3) _outbox.Add(_clients.Make());
        var index = _choices.Weighted([6, 1, 1]);
        if (index > 0) _faults.Fired(Fault.Reordered);
        var request = _outbox[index];
        _outbox.RemoveAt(index);
        return request;
    }

    private void Repeat(SimProcess process)
    {
        if (_setUp.Count > 0 || _clients.Requests.Count == 0) return;
        var request = _clients.Requests[_choices.Next(_clients.Requests.Count)];
        if (request.Asked.Attempts == 0) return;
        if (request.Asked.Event is not null && _choices.Next(4) == 3)
        {
            _faults.Fired(Fault.ReusedId);
            _trace.Line($"impostor of {request.Asked.Id}");
            _underWay.Add((request, true));
            process.Threads.Within(() => SendAsync(process, request, request.Impostor(), isImpostor: true, 0, default));
            return;
        }
        _faults.Fired(Fault.Duplicate);
        Send(process, request);
    }

    private void Send(SimProcess process, Request? request)
    {
        if (request is null) return;
        long deadline = 0;
        CancellationTokenSource? withdrawal = null;
        if (_setUp.Count == 0 && _choices.OneIn(12))
        {
            // Either it is withdrawn at once, or its time is over soon.
            if (_choices.Next(2) == 0) deadline = process.Engine.NowMicros + _choices.Next(500_000);
            else withdrawal = new CancellationTokenSource();
        }
        _trace.Line($"send {request.Asked.Id}");
        if (!TrySeal(process, request, out var person)) return;
        _auditor.Sent(request.Asked, request.KeyBytes);
        _underWay.Add((request, false));
        process.Threads.Within(() => SendAsync(process, request, request.Command(person), isImpostor: false, deadline, withdrawal?.Token ?? default));
        withdrawal?.Cancel();
    }

    // As the server does, before anything is sent: under a new key each time. False: the keys cannot be read or written.
    private static bool TrySeal(SimProcess process, Request request, out SealedData person)
    {
        person = default;
        if (request.Person.Length == 0) return true;
        try
        {
            person = process.Engine.Vault.SealForGuestAsync(request.Person).AsTask().GetAwaiter().GetResult();
            return true;
        }
        catch (Journal.JournalException) when (process.Disk.HasFailed || process.Disk.HasLied || process.Disk.IsOff)
        {
            return false;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Carried to the simulation's loop.")]
    private async Task SendAsync(SimProcess process, Request request, Command command, bool isImpostor, long deadline, CancellationToken withdrawal)
    {
        var lane = command is SubmitOrder or CreateReservation ? Lane.Normal : Lane.Priority;
        try
        {
            var answer = await process.Engine.ExecuteAsync(command, lane, deadline, withdrawal);
            _underWay.Remove((request, isImpostor));
            _trace.Line($"answer {request.Asked.Id}: {answer.Outcome} {answer.Sequence}{(answer.Replayed ? " replayed" : "")}");
            if (isImpostor) _auditor.AnsweredImpostor(request.Asked, answer.Outcome.ToString());
            else if (!answer.WasDecided && answer.Outcome != Outcome.InternalError) NotApplied(request, answer.Outcome == Outcome.DeadlinePassed);
            else Answered(process, request, answer);
        }
        catch (OperationCanceledException)
        {
            _underWay.Remove((request, isImpostor));
            _trace.Line($"withdrawn {request.Asked.Id}");
            NotApplied(request, countIt: true);
        }
        catch (Journal.JournalException unreadable) when (process.Disk.HasFailed || process.Disk.HasLied || process.Disk.IsOff)
        {
            // The archive could not be asked, so nothing was queued.
            _underWay.Remove((request, isImpostor));
            _trace.Line($"not asked {request.Asked.Id}: {unreadable.GetType().Name}");
            NotApplied(request, countIt: false);
        }
        catch (BrokenPromiseException broken)
        {
            _broken ??= broken;
        }
        catch (Exception error)
        {
            _broken ??= new BrokenPromiseException("a call failed", $"{request.Asked.Id}: {error.GetType().Name}: {error.Message}");
        }
    }

    private void Answered(SimProcess process, Request request, CommandAnswer answer)
    {
        _auditor.Answered(request.Asked, answer.Outcome.ToString(), answer.Sequence, answer.Event.Span, process.Journal!.LastSequence);
        if (!process.Disk.HasLied) _auditor.Persons.ReadSecrets(_root);
        // A disk that lies may keep what it was told to overwrite; the next start makes it good.
        if (!process.Disk.HasLied && _auditor.Persons.Erased(answer.Event.Span)) LookAround(process);
        if (!_isProbing) _clients.Learn(answer.Event.Span);
        if (_setUp.TryPeek(out var first) && first == request) _setUp.Dequeue();
    }

    private void NotApplied(Request request, bool countIt)
    {
        if (countIt) _faults.Fired(Fault.Withdrawn);
        _auditor.NotApplied(request.Asked, request.KeyBytes);
    }

    private void WakeReader(SimProcess process)
    {
        var index = _choices.Next(_readers.Count);
        var reader = _readers[index];
        _readers.RemoveAt(index);
        process.Threads.Within(() =>
        {
            reader.SetResult();
            return true;
        });
    }

    /// <summary>Follows the stream from where this follower stood, at the pace that the simulation gives it.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Carried to the simulation's loop, or the end of this subscription.")]
    private async Task Follow(SimProcess process, Followed followed)
    {
        var feed = process.Engine.Orders;
        var view = process.Engine.View;
        try
        {
            using var subscription = feed.Subscribe(OrderFilter.All with { Channels = followed.Channel == 0 ? [] : [(int)followed.Channel] }, followed.Last);
            while (true)
            {
                var page = await subscription.ReadAsync(1 + _choices.Next(6), s_heartbeat, default);
                _trace.Line($"page of {followed.Channel}: {page.Events.Count} through {page.Through}");
                // Before the check, so that the book knows what the stream may not leave out.
                Look(process);
                _auditor.Page(followed, page.Events, page.Through, process.Journal!.LastSequence);
                if (_choices.Next(3) == 0) continue;
                var pause = new TaskCompletionSource();
                _readers.Add(pause);
                await pause.Task;
                if (view.DurableSequence - followed.Last > 20) _faults.Fired(Fault.SlowReader);
            }
        }
        catch (PositionTruncatedException truncated)
        {
            _trace.Line($"follower {followed.Channel} truncated to {truncated.Earliest}");
            followed.Last = truncated.Earliest;
        }
        catch (FeedClosedException)
        {
            _trace.Line($"follower {followed.Channel} is at the end");
        }
        catch (BrokenPromiseException broken)
        {
            _broken ??= broken;
        }
        catch (Exception error) when (error is Journal.JournalException && (process.Disk.HasFailed || process.Disk.HasLied || process.Disk.IsOff))
        {
            _trace.Line($"follower {followed.Channel} cannot read on");
        }
        catch (Exception error)
        {
            _broken ??= new BrokenPromiseException("a stream failed", $"{error.GetType().Name}: {error.Message}");
        }
    }
}
