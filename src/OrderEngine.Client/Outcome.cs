// Owns the answer to a change: accepted or refused. Immutable, any thread.
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>What became of a change: exactly one of <see cref="Accepted"/> and <see cref="Refused"/> is set.</summary>
/// <typeparam name="TAnswer">The answer to an accepted one.</typeparam>
public sealed class Outcome<TAnswer> where TAnswer : class
{
    private Outcome(string requestId, TAnswer? accepted, OrderEngineError? refused)
    {
        RequestId = requestId;
        Accepted = accepted;
        Refused = refused;
    }

    /// <summary>The request id it was sent under: keep it where a later retry must be the same request.</summary>
    public string RequestId { get; }

    /// <summary>The answer, when accepted.</summary>
    public TAnswer? Accepted { get; }

    /// <summary>Why not, when refused.</summary>
    public OrderEngineError? Refused { get; }

    /// <summary>True when accepted.</summary>
    [MemberNotNullWhen(true, nameof(Accepted))]
    [MemberNotNullWhen(false, nameof(Refused))]
    public bool IsAccepted => Accepted is not null;

    internal static Outcome<TAnswer> Accept(string requestId, TAnswer answer) => new(requestId, answer, null);

    internal static Outcome<TAnswer> Refuse(string requestId, OrderEngineError error) => new(requestId, null, error);
}

internal static class Outcomes
{
    /// <summary>True when the engine has answered; false when nobody knows what became of the request (it must be sent again).</summary>
    public static bool IsAnswer(OrderEngineError error) => error.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound
        or StatusCode.AlreadyExists or StatusCode.PermissionDenied or StatusCode.Unauthenticated or StatusCode.ResourceExhausted
        or StatusCode.FailedPrecondition or StatusCode.Aborted or StatusCode.OutOfRange || error.Reason == ErrorReason.InternalError;
}
