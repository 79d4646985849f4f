// Owns the waiting between attempts: exponential, with full jitter, at least what the engine asks for, within a budget.
// One instance belongs to one call or stream and is used by one thread at a time.
namespace OrderEngine.Client;

/// <summary>The waits of one operation. The budget runs from the first failure since the last success.</summary>
internal sealed class Backoff(RetrySettings settings, TimeProvider time, Jitter jitter)
{
    private int _failures;
    private long _firstFailure;

    /// <summary>Something was answered: the next failure is a first one again.</summary>
    public void Reset() => _failures = 0;

    /// <summary>Waits for the next attempt; false when the budget leaves no room for it.</summary>
    public async Task<bool> WaitAsync(TimeSpan? asked, CancellationToken cancellationToken)
    {
        if (_failures == 0)
            _firstFailure = time.GetTimestamp();
        var ceiling = settings.FirstDelay * Math.Pow(2, Math.Min(_failures, 30));
        if (ceiling > settings.LongestDelay)
            ceiling = settings.LongestDelay;
        _failures++;

        // The jitter comes on top of what the engine asks for: all who were sent away must not come back at the same moment.
        var delay = ceiling * jitter.Next() + (asked ?? TimeSpan.Zero);
        if (settings.Budget != Timeout.InfiniteTimeSpan && time.GetElapsedTime(_firstFailure) + delay >= settings.Budget)
            return false;
        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        return true;
    }
}

/// <summary>A source of numbers in [0, 1), repeatable when seeded. Any thread.</summary>
internal sealed class Jitter(int? seed)
{
    private readonly Lock _gate = new();
#pragma warning disable CA5394 // spreads load; nothing secret hangs on it
    private readonly Random _random = seed is { } value ? new Random(value) : new Random();

    public double Next()
    {
        lock (_gate)
            return _random.NextDouble();
    }
#pragma warning restore CA5394
}
