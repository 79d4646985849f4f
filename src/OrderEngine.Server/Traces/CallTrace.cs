// One traced call, or one traced message of a stream: its span, and the command that is followed. Names, kinds, outcomes and numbers; never an
// id or a text of the request, so there is nothing personal in it. One call's threads, one after the other.

using System.Diagnostics;
using Grpc.Core;
using OrderEngine.Core;
using OrderEngine.Engine;

namespace OrderEngine.Server.Traces;

/// <summary>A span of the server and the steps below it.</summary>
internal sealed class CallTrace
{
    private readonly ActivitySource _source;
    private readonly TimeProvider _time;
    private CommandTrace? _followed;

    /// <param name="source">Where steps come from.</param>
    /// <param name="span">Begun, and sampled.</param>
    /// <param name="method">The rpc's path.</param>
    /// <param name="commands">Commands in the message; 0: it is a call.</param>
    /// <param name="time">The engine's time.</param>
    public CallTrace(ActivitySource source, Activity span, string method, int commands, TimeProvider time)
    {
        (_source, Span, _time) = (source, span, time);
        var cut = method.LastIndexOf('/');
        span.SetTag("rpc.system", "grpc").SetTag("rpc.service", method[1..cut]).SetTag("rpc.method", method[(cut + 1)..]);
        if (commands > 0) span.SetTag("orderengine.message.commands", commands);
    }

    /// <summary>The span.</summary>
    public Activity Span { get; }

    /// <summary>That of a single call; null: it has none.</summary>
    public static CallTrace? Of(ServerCallContext context) => context.UserState.TryGetValue(typeof(CallTrace), out var trace) ? (CallTrace)trace! : null;

    /// <summary>Follows a command; of several in one message the first; null: another one is followed.</summary>
    public CommandTrace? Follow(Command command)
    {
        if (_followed is not null) return null;
        Span.SetTag("orderengine.command", command.Kind.ToString());
        return _followed = new CommandTrace(Span, _time);
    }

    /// <summary>The command that is followed has its answer.</summary>
    public void Answered(in CommandAnswer answer)
    {
        Span.SetTag("orderengine.outcome", answer.Outcome.ToString()).SetTag("orderengine.sequence", answer.Sequence);
        if (answer.Replayed) Span.SetTag("orderengine.replayed", true);
    }

    /// <summary>Ends the span, and adds the steps of the command.</summary>
    public void End(StatusCode status)
    {
        var around = Activity.Current;
        foreach (var step in _followed?.Steps() ?? [])
        {
            using var part = _source.StartActivity(ActivityKind.Internal, Span.Context, startTime: step.From, name: step.Name);
            if (step.Name == "commit") part?.SetTag("orderengine.batch.commands", _followed!.BatchCommands).SetTag("orderengine.batch.size", _followed.BatchBytes);
            part?.SetEndTime(step.To);
        }
        Span.SetTag("rpc.grpc.status_code", (int)status);
        // By OpenTelemetry's conventions a refusal that is the caller's own doing is no error of the server.
        if (status is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss)
            Span.SetStatus(ActivityStatusCode.Error);
        Span.Dispose();
        if (around != Span) Activity.Current = around;
    }
}
