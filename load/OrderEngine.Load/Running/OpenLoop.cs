// The open loop: sends what is due whether or not answers come, and times every answer from when its request was due. A server that
// stalls therefore shows as latency of all that was due meanwhile (no coordinated omission). The pump is one thread; runs start on the pool.

using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>One arrival.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Due">By the run's clock.</param>
public readonly record struct Arrival(long Number, long Due);

/// <summary>Sends arrivals when they are due.</summary>
public static class OpenLoop
{
    /// <summary>Unanswered runs at most where the scenario says nothing: twice what the engine lets wait, so that it must refuse.</summary>
    public const int MaxUnanswered = 8_192;

    /// <summary>The status of an arrival that was not sent.</summary>
    public const string NotSent = "NOT_SENT";

    /// <summary>
    /// Runs the schedule from <paramref name="start"/> on. <paramref name="launch"/> gets each arrival once, never before it is due; it must
    /// not block. Returns when the last was launched or the token is set.
    /// </summary>
    public static void Pump(ArrivalSchedule schedule, long start, ILoadClock clock, PhaseRecorder recorder, Action<Arrival> launch,
        CancellationToken cancellationToken)
    {
        for (long number = 0; number < schedule.Total && !cancellationToken.IsCancellationRequested; number++)
        {
            var due = start + schedule.DueNanos(number);
            if (clock.Now < due) clock.WaitUntil(due);
            recorder.SendLag.Record(clock.Now - due);
            launch(new Arrival(number, due));
        }
    }

    /// <summary>Runs a scenario once for an arrival and records it. Never throws.</summary>
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
