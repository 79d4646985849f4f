// The open loop: sends what is due whether or not answers come, and times every answer from when its request was due. A server that
// stalls therefore shows as latency of all that was due meanwhile (no coordinated omission). The pump is one thread.

using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>One arrival.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Due">By the run's clock.</param>
/// <param name="SinceWaking">How many were sent before it since the pump last slept.</param>
public readonly record struct Arrival(long Number, long Due, int SinceWaking);

/// <summary>Sends arrivals when they are due.</summary>
public static class OpenLoop
{
    /// <summary>Unanswered runs at most where the scenario says nothing: twice what the engine lets wait, so that it must refuse.</summary>
    public const int MaxUnanswered = 8_192;

    /// <summary>The status of an arrival that was not sent.</summary>
    public const string NotSent = "NOT_SENT";

    /// <summary>The step that times a run from when it was sent; what the scenario itself counts is from when it was due.</summary>
    public const string FromSending = "from-sending";

    /// <summary>
    /// How long the pump sleeps at least. Calls that are started together go out in one write and their answers come in one read: one by one, every
    /// call costs the client a wake-up, a write and a read, which at ten thousand a second is a core.
    /// </summary>
    public static readonly TimeSpan DefaultTick = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Runs the schedule from <paramref name="start"/> on. <paramref name="launch"/> gets each arrival once, never before it is due; it must
    /// not block. An arrival that is due less than a <paramref name="tick"/> after the pump last woke waits for the end of that tick; one that is due
    /// later is sent when it is due. Returns at the end of the schedule's stretch, or when the token is set.
    /// </summary>
    public static void Pump(ArrivalSchedule schedule, long start, ILoadClock clock, TimeSpan tick, Action<Arrival> launch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(launch);
        var tickNanos = (long)tick.TotalNanoseconds;
        var woke = start;
        var sinceWaking = 0;
        for (long number = 0; number < schedule.Total && !cancellationToken.IsCancellationRequested; number++)
        {
            var due = start + schedule.DueNanos(number);
            if (clock.Now < due)
            {
                clock.WaitUntil(Math.Max(due, woke + tickNanos));
                woke = clock.Now;
                sinceWaking = 0;
            }
            launch(new Arrival(number, due, sinceWaking++));
        }
        if (!cancellationToken.IsCancellationRequested) clock.WaitUntil(start + schedule.LengthNanos);
    }

    /// <summary>Runs a scenario once and records it. Never throws.</summary>
    public static async Task RunOneAsync(Func<Invocation, ValueTask<Response>> run, Invocation invocation, PhaseRecorder recorder)
    {
        Response response;
        try
        {
            response = await run(invocation);
        }
        catch (Exception exception)
        {
            response = Outcomes.FromException(exception);
        }
        recorder.RecordMain(response, invocation.Begun, invocation.Clock.Now);
    }
}
