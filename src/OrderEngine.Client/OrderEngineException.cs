// Owns the exceptions of this library. Any thread.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>
/// A call that the engine refused, or that did not reach it within the retry budget. It is an <see cref="RpcException"/>, so code that
/// catches that goes on working; <see cref="Error"/> has the details read out.
/// </summary>
public class OrderEngineException : RpcException
{
    /// <summary>Wraps what a call failed with.</summary>
    public OrderEngineException(OrderEngineError error, Metadata? trailers = null, Exception? cause = null)
        : base(new Status((error ?? throw new ArgumentNullException(nameof(error))).StatusCode, error.Message, cause),
            trailers ?? Metadata.Empty, error.ToString()) => Error = error;

    /// <summary>The details.</summary>
    public OrderEngineError Error { get; }

    /// <summary>The exception that fits: <see cref="ResumeTokenException"/> where a watch cannot resume, this one otherwise.</summary>
    internal static OrderEngineException From(RpcException exception)
    {
        if (exception is OrderEngineException known)
            return known;
        var error = OrderEngineError.From(exception);
        return error.StatusCode == StatusCode.OutOfRange
            ? new ResumeTokenException(error, exception.Trailers, exception.Status.DebugException)
            : new OrderEngineException(error, exception.Trailers, exception.Status.DebugException);
    }
}

/// <summary>A watch cannot go on from the token: start again with a snapshot, or from <see cref="EarliestToken"/>.</summary>
public sealed class ResumeTokenException : OrderEngineException
{
    private const string EarliestTokenKey = "earliest_token";

    /// <summary>Wraps what the engine answered.</summary>
    public ResumeTokenException(OrderEngineError error, Metadata? trailers = null, Exception? cause = null) : base(error, trailers, cause)
    {
    }

    /// <summary>The first token that still works, with a gap before it; empty when the engine named none.</summary>
    public string EarliestToken => Error.Metadata.TryGetValue(EarliestTokenKey, out var token) ? token : "";

    /// <summary>True when the token is of a later state than the engine has: of another engine, or of a state since lost.</summary>
    public bool IsAhead => Error.Reason == ErrorReason.ResumeTokenAhead;
}
