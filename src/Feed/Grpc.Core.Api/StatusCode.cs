// The outcome numbers of the gRPC protocol. They travel on the wire in the grpc-status trailer and never change.

namespace Grpc.Core;

/// <summary>How a call ended. The numbers are the protocol's.</summary>
public enum StatusCode
{
    /// <summary>The call succeeded.</summary>
    OK = 0,

    /// <summary>The call was cancelled, usually by its caller.</summary>
    Cancelled = 1,

    /// <summary>Something failed that has no better code, such as an exception that the handler let through.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed first; the call may have had its effect.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for is not there.</summary>
    NotFound = 5,

    /// <summary>What was to be created is there already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A bound was reached: a quota, a queue, a size.</summary>
    ResourceExhausted = 8,

    /// <summary>The state of the system does not allow it; repeating it without a change is useless.</summary>
    FailedPrecondition = 9,

    /// <summary>A conflict with another call; the caller reads again and repeats.</summary>
    Aborted = 10,

    /// <summary>The request reaches beyond the valid range.</summary>
    OutOfRange = 11,

    /// <summary>The server does not know the method.</summary>
    Unimplemented = 12,

    /// <summary>The server, or the protocol below it, broke its own rules.</summary>
    Internal = 13,

    /// <summary>The server cannot be reached or does not serve now; the caller may repeat after a while.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or damaged for good.</summary>
    DataLoss = 15,

    /// <summary>The caller did not say, or could not prove, who it is.</summary>
    Unauthenticated = 16,
}
