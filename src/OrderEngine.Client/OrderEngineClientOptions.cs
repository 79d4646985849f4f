// Owns the settings of the client and their bounds. Any thread.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>How often and how long something is tried again.</summary>
public sealed record RetrySettings
{
    /// <summary>The upper end of the first wait; each further one is twice as long. Waits are drawn between 0 and that (full jitter).</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>No wait is longer, unless the engine's RetryInfo asks for more.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long in all to go on after the first failure. Zero: never try again. <see cref="Timeout.InfiniteTimeSpan"/>: without end.
    /// An open stream counts from the last answer it got.
    /// </summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(30);

    internal void Validate(string name)
    {
        if (FirstDelay <= TimeSpan.Zero || LongestDelay < FirstDelay)
            throw new ArgumentException($"{name}: FirstDelay must be positive and not above LongestDelay.", name);
        if (Budget < TimeSpan.Zero && Budget != Timeout.InfiniteTimeSpan)
            throw new ArgumentException($"{name}: Budget must be zero, positive or Timeout.InfiniteTimeSpan.", name);
    }
}

/// <summary>Settings of an <see cref="OrderEngineClient"/>. What is left out is set for an adapter near its engine.</summary>
public sealed record OrderEngineClientOptions
{
    /// <summary>Retries of single calls and of the pipelines.</summary>
    public RetrySettings Retry { get; init; } = new();

    /// <summary>Retries of a watch; by default it resumes for as long as it is read.</summary>
    public RetrySettings WatchRetry { get; init; } = new() { Budget = Timeout.InfiniteTimeSpan };

    /// <summary>The deadline of one attempt of a single call, where the caller sets none.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Put into requests that name no actor. Not personal data.</summary>
    public Actor? Actor { get; init; }

    /// <summary>
    /// Gives the API key (ID.SECRET) or token that calls are made with; null: none. Asked at every call and attempt, from any thread, so a
    /// rotated key or a fresh token is used as soon as it gives one. Over http:// only to this machine, unless <see cref="AllowPlaintext"/>.
    /// </summary>
    public Func<string>? Credential { get; init; }

    /// <summary>True: the credential may travel in the clear beyond this machine. Whoever is in between can take it.</summary>
    public bool AllowPlaintext { get; init; }

    /// <summary>PEM file of the authorities that an https:// engine's certificate must come from; null: those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file of the certificate and key that the client shows; null: none.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>The clock for waits, budgets and request ids.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Makes the jitter repeatable; null draws at random.</summary>
    public int? RandomSeed { get; init; }

    internal void Validate()
    {
        Retry.Validate(nameof(Retry));
        WatchRetry.Validate(nameof(WatchRetry));
        if (CallTimeout <= TimeSpan.Zero)
            throw new ArgumentException("CallTimeout must be positive.", nameof(CallTimeout));
        ArgumentNullException.ThrowIfNull(TimeProvider);
    }
}

/// <summary>Settings of a pipeline.</summary>
public sealed record PipelineOptions
{
    /// <summary>Most items of one message; the contract allows 1,000.</summary>
    public const int MostPerMessage = 1_000;

    /// <summary>Most bytes of one message that the engine takes. A larger item is refused before it is sent.</summary>
    public const int MostBytesPerMessage = 4 << 20;

    // Tags, lengths and client_seq around an item in its message, at most.
    internal const int BytesAroundItem = 32;

    /// <summary>How many may be unanswered; the next SubmitAsync waits. At least 1.</summary>
    public int Window { get; init; } = 1_024;

    /// <summary>How many travel in one message at most; what is queued when the stream is free goes together. 1 to 1,000.</summary>
    public int ItemsPerMessage { get; init; } = 100;

    /// <summary>A message is not filled beyond this many bytes (a single larger item goes alone). 1 byte to 4 MiB.</summary>
    public int BytesPerMessage { get; init; } = 1 << 20;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Window, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ItemsPerMessage, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ItemsPerMessage, MostPerMessage);
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesPerMessage, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BytesPerMessage, MostBytesPerMessage);
    }
}
