// The life of a channel's connection, as GrpcChannel reports it.

namespace Grpc.Core;

/// <summary>Where a channel's connection stands.</summary>
public enum ConnectivityState
{
    /// <summary>Not connected, and nobody wants it to be.</summary>
    Idle,

    /// <summary>On its way.</summary>
    Connecting,

    /// <summary>Connected.</summary>
    Ready,

    /// <summary>The last attempt failed; the next one follows after a pause.</summary>
    TransientFailure,

    /// <summary>Closed for good.</summary>
    Shutdown,
}
