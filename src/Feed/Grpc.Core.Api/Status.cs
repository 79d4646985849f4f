// The outcome of one call: a code and a text. Immutable; used by any thread.

namespace Grpc.Core;

/// <summary>A status code, the text that explains it and, on the side that saw it, the exception behind it.</summary>
/// <param name="statusCode">The code.</param>
/// <param name="detail">The text sent with the code; empty when there is nothing to say.</param>
/// <param name="debugException">The local cause. It is never sent.</param>
public readonly struct Status(StatusCode statusCode, string detail, Exception? debugException)
{
    /// <summary>Success without a text.</summary>
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");

    /// <summary>Cancelled without a text.</summary>
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    /// <summary>A status without a local cause.</summary>
    public Status(StatusCode statusCode, string detail) : this(statusCode, detail, null) { }

    /// <summary>The code.</summary>
    public StatusCode StatusCode { get; } = statusCode;

    /// <summary>The text sent with the code.</summary>
    public string Detail { get; } = detail;

    /// <summary>The local cause, for logs; null when there is none or when the status came from the other side.</summary>
    public Exception? DebugException { get; } = debugException;

    /// <summary>Code, text and cause in one line, for logs and exception messages.</summary>
    public override string ToString() => DebugException is null
        ? $"Status({StatusCode}: \"{Detail}\")"
        : $"Status({StatusCode}: \"{Detail}\", caused by {DebugException.GetType()}: {DebugException.Message})";
}
