// A connection to a service as its clients see it; Grpc.Net.Client's GrpcChannel is the one there is.

namespace Grpc.Core;

/// <summary>A channel to a target. Safe for concurrent use.</summary>
/// <exception cref="ArgumentNullException">The target is null.</exception>
public abstract class ChannelBase(string target)
{
    /// <summary>What the channel connects to.</summary>
    public string Target { get; } = target ?? throw new ArgumentNullException(nameof(target));

    /// <summary>Makes an invoker that calls over this channel.</summary>
    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Ends the channel: running calls are cancelled, new ones fail.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    /// <summary>What <see cref="ShutdownAsync"/> does; nothing unless overridden.</summary>
    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
