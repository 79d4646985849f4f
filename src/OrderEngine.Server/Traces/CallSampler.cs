// Which calls are traced: those that their caller traces, one in so many of the others, and of all no more a second than the bound. Any thread.

using OpenTelemetry.Trace;

namespace OrderEngine.Server.Traces;

/// <summary>Decides once a call; its steps go with it.</summary>
/// <param name="oneIn">One in so many of the calls whose caller has not decided.</param>
/// <param name="time">The server's clock.</param>
internal sealed class CallSampler(int oneIn, TimeProvider time) : Sampler
{
    private readonly TraceIdRatioBasedSampler _drawn = new(1d / oneIn);
    private readonly Lock _gate = new();
    private long _since = time.GetTimestamp();
    private int _taken;

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var parent = samplingParameters.ParentContext;
        var hasParent = parent.SpanId != default;
        var isSampled = (parent.TraceFlags & System.Diagnostics.ActivityTraceFlags.Recorded) != 0;
        if (hasParent && !parent.IsRemote) return new SamplingResult(isSampled);
        return new SamplingResult((hasParent ? isSampled : _drawn.ShouldSample(samplingParameters).Decision != SamplingDecision.Drop) && TakeOne());
    }

    // A caller that marks everything as sampled must not fill the collector, nor the engine's time.
    private bool TakeOne()
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_since) >= TimeSpan.FromSeconds(1)) (_since, _taken) = (time.GetTimestamp(), 0);
            return _taken++ < ServerLimits.TracedCallsPerSecond;
        }
    }
}
