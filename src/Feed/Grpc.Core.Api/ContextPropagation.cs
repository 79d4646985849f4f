// Handing a served call's deadline and cancellation on to the calls made for it. Grpc.AspNetCore.Server refuses to make
// such a token (its client factory propagates instead), so here are only the shapes that signatures need.

namespace Grpc.Core;

/// <summary>What is handed on.</summary>
public class ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
{
    /// <summary>Both.</summary>
    public static readonly ContextPropagationOptions Default = new();

    /// <summary>Whether the deadline is handed on.</summary>
    public bool IsPropagateDeadline { get; } = propagateDeadline;

    /// <summary>Whether cancellation is handed on.</summary>
    public bool IsPropagateCancellation { get; } = propagateCancellation;
}

/// <summary>A served call's context, to be handed on. Opaque.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken() { }
}
