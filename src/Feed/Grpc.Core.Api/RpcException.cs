// The one exception by which a call's failure leaves or enters gRPC.

namespace Grpc.Core;

/// <summary>
/// A call ended with another status than OK. Thrown by a handler it becomes the call's status and trailers; thrown by a
/// client it carries what the server sent.
/// </summary>
/// <param name="status">The status.</param>
/// <param name="trailers">The trailers; not null.</param>
/// <param name="message">The exception's message.</param>
/// <exception cref="ArgumentNullException">The trailers are null.</exception>
public class RpcException(Status status, Metadata trailers, string message) : Exception(message, status.DebugException)
{
    /// <summary>A failure without trailers; the status is its message.</summary>
    public RpcException(Status status) : this(status, Metadata.Empty, status.ToString()) { }

    /// <summary>A failure without trailers and with a message of its own.</summary>
    public RpcException(Status status, string message) : this(status, Metadata.Empty, message) { }

    /// <summary>A failure with trailers; the status is its message.</summary>
    public RpcException(Status status, Metadata trailers) : this(status, trailers, status.ToString()) { }

    /// <summary>The status.</summary>
    public Status Status { get; } = status;

    /// <summary>The code of <see cref="Status"/>.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>The trailers, where rich error details travel; empty when there are none.</summary>
    public Metadata Trailers { get; } = trailers ?? throw new ArgumentNullException(nameof(trailers));
}
