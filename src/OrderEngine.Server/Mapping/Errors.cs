// How a refusal looks on the wire. Statuses come from the catalogue in errors.proto, so that catalogue and behaviour cannot drift apart.
// Any thread.

using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes google.rpc.Status and RpcException from an <see cref="ErrorReason"/>.</summary>
internal static class Errors
{
    /// <summary>The domain of every ErrorInfo.</summary>
    public const string Domain = "orderengine.v1";

    /// <summary>The trailer that carries a google.rpc.Status.</summary>
    public const string DetailsTrailer = "grpc-status-details-bin";

    private static readonly FrozenDictionary<ErrorReason, (string Name, ErrorEntry Entry)> Catalogue = ReadCatalogue();

    private static readonly FrozenDictionary<ErrorReason, TimeSpan> RetryDelays = new Dictionary<ErrorReason, TimeSpan>
    {
        [ErrorReason.QueueFull] = TimeSpan.FromMilliseconds(100),
        [ErrorReason.DeadlinePassed] = TimeSpan.FromMilliseconds(100),
        [ErrorReason.EngineRecovering] = TimeSpan.FromSeconds(1),
        [ErrorReason.EngineDraining] = TimeSpan.FromSeconds(2),
        [ErrorReason.DiskLow] = TimeSpan.FromSeconds(5),
        [ErrorReason.AlreadyRunning] = TimeSpan.FromSeconds(1),
        [ErrorReason.RateLimited] = TimeSpan.FromMilliseconds(100),
        [ErrorReason.PersonalKeyRaced] = TimeSpan.FromMilliseconds(100),
        [ErrorReason.CallLimitReached] = TimeSpan.FromSeconds(1),
        [ErrorReason.ConnectionLimitReached] = TimeSpan.FromSeconds(5),
        [ErrorReason.ClientPaused] = TimeSpan.FromSeconds(10),
        [ErrorReason.MessageShareUsedUp] = TimeSpan.FromSeconds(1),
        [ErrorReason.RefusalLimitReached] = TimeSpan.FromMinutes(1),
        [ErrorReason.ExportReaderSlow] = TimeSpan.FromSeconds(1),
        [ErrorReason.SubscriberLimitReached] = TimeSpan.FromSeconds(5),
    }.ToFrozenDictionary();

    /// <summary>What the catalogue says of a reason.</summary>
    /// <exception cref="KeyNotFoundException">The catalogue has no such reason.</exception>
    public static ErrorEntry Entry(ErrorReason reason) => Catalogue[reason].Entry;

    /// <summary>The reason's name as it stands in ErrorInfo.</summary>
    public static string Name(ErrorReason reason) => Catalogue[reason].Name;

    /// <summary>A refusal with ErrorInfo and, where waiting helps, RetryInfo.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="message">For a developer's eyes; no personal data.</param>
    /// <param name="metadata">Of the ErrorInfo.</param>
    public static RpcStatus Status(ErrorReason reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata)
    {
        var (name, entry) = Catalogue[reason];
        var info = new ErrorInfo { Domain = Domain, Reason = name };
        foreach (var (key, value) in metadata) info.Metadata[key] = value;
        var status = new RpcStatus { Code = (int)entry.Status, Message = message, Details = { Any.Pack(info) } };
        if (entry.Retry) status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(RetryDelays[reason]) }));
        return status;
    }

    /// <summary>A refusal that knows how long to wait.</summary>
    public static RpcStatus Status(ErrorReason reason, TimeSpan retry)
    {
        var status = Status(reason, Entry(reason).Cause);
        status.Details[^1] = Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(retry) });
        return status;
    }

    /// <summary>A refusal whose message is the catalogue's cause.</summary>
    public static RpcStatus Status(ErrorReason reason, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        Status(reason, Entry(reason).Cause, metadata);

    /// <summary>One malformed field.</summary>
    public static RpcStatus InvalidField(FieldPath path, string rule)
    {
        var violations = new Violations();
        violations.Add(path, rule);
        return violations.ToStatus();
    }

    /// <summary>The exception that ends a call with this status and its details.</summary>
    /// <param name="status">Why.</param>
    /// <param name="isCounted">True: a counter knows of it already, the engine's or the gate's.</param>
    public static RefusalException ToException(this RpcStatus status, bool isCounted = false) => new(status, isCounted);

    /// <summary>Shorthand for <see cref="Status(ErrorReason, ReadOnlySpan{ValueTuple{string, string}})"/> as an exception.</summary>
    public static RefusalException Exception(ErrorReason reason, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        Status(reason, metadata).ToException();

    /// <summary>Writes a status where a client reads it: into the trailers, or into the headers of an answer without a message.</summary>
    public static void WriteTo(this RpcStatus status, IHeaderDictionary headers)
    {
        headers["grpc-status"] = status.Code.ToString(System.Globalization.CultureInfo.InvariantCulture);
        headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        headers[DetailsTrailer] = Convert.ToBase64String(status.ToByteArray()).TrimEnd('=');
    }

    private static FrozenDictionary<ErrorReason, (string, ErrorEntry)> ReadCatalogue()
    {
        var entries = new Dictionary<ErrorReason, (string, ErrorEntry)>();
        foreach (var value in ErrorsReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(ErrorReason)).Values)
        {
            var entry = value.GetOptions()?.GetExtension(ErrorsExtensions.Error);
            if (entry is not null) entries.Add((ErrorReason)value.Number, (value.Name, entry));
        }
        return entries.ToFrozenDictionary();
    }
}

/// <summary>Ends a call with a refusal of the catalogue.</summary>
/// <param name="refusal">Which.</param>
/// <param name="isCounted">True: a counter knows of it already.</param>
internal sealed class RefusalException(RpcStatus refusal, bool isCounted)
    : RpcException(new Grpc.Core.Status((StatusCode)refusal.Code, refusal.Message), new Metadata { { Errors.DetailsTrailer, refusal.ToByteArray() } })
{
    /// <summary>Why.</summary>
    public RpcStatus Refusal => refusal;

    /// <summary>True: a counter knows of it already.</summary>
    public bool IsCounted => isCounted;
}
