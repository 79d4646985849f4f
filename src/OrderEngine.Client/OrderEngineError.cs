// Owns how an error answer is read: google.rpc.Status with its details becomes one immutable object. Any thread.
using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>One field that the engine did not accept.</summary>
/// <param name="Field">The path of the field, as in the request.</param>
/// <param name="Rule">The rule and how to meet it.</param>
public sealed record FieldProblem(string Field, string Rule);

/// <summary>Why the engine (or the way to it) said no. Immutable.</summary>
public sealed class OrderEngineError
{
    /// <summary>The trailer that carries google.rpc.Status.</summary>
    internal const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>The domain of this engine's ErrorInfo.</summary>
    internal const string Domain = "orderengine.v1";

    private const string TooLargeReason = "MESSAGE_TOO_LARGE";
    private const string ReplayedKey = "replayed";
    private static readonly FrozenDictionary<string, (ErrorReason Reason, ErrorEntry? Entry)> Catalogue = ReadCatalogue();

    private OrderEngineError(StatusCode statusCode, string message)
    {
        StatusCode = statusCode;
        Message = message;
    }

    /// <summary>The gRPC status.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>What the engine said, in English, for people.</summary>
    public string Message { get; }

    /// <summary>The reason out of the catalogue; unspecified when the answer has none or one that this library does not know.</summary>
    public ErrorReason Reason { get; private set; }

    /// <summary>The reason as the engine spelled it (OUT_OF_STOCK); the status's name where the answer carries no reason.</summary>
    public string ReasonName { get; private set; } = "";

    /// <summary>What the catalogue advises to do; empty when the reason is not known.</summary>
    public string Advice { get; private set; } = "";

    /// <summary>Metadata of the reason, such as order_id, state or earliest_token.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Fields that were not accepted.</summary>
    public IReadOnlyList<FieldProblem> FieldProblems { get; private set; } = [];

    /// <summary>What stock does not cover, one entry a SKU.</summary>
    public IReadOnlyList<StockShortage> Shortages { get; private set; } = [];

    /// <summary>How long the engine asks to wait before the next attempt, if it does.</summary>
    public TimeSpan? RetryDelay { get; private set; }

    /// <summary>True when the same request may be sent again with the same request id.</summary>
    public bool Retryable { get; private set; }

    /// <summary>True when this is the recorded answer to an earlier request with the same request id.</summary>
    public bool Replayed => Metadata.TryGetValue(ReplayedKey, out var value) && value == "true";

    /// <summary>Reads the error out of a failed call.</summary>
    public static OrderEngineError From(RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (exception is OrderEngineException known)
            return known.Error;

        var error = new OrderEngineError(exception.StatusCode, exception.Status.Detail);
        var bytes = exception.Trailers.GetValueBytes(DetailsTrailer);
        if (bytes is not null && TryParse(bytes, out var status))
            error.ReadDetails(status);
        error.Complete(TransportBroke(exception));
        return error;
    }

    /// <summary>Reads the error out of a status that stands in an answer (an order of a stream, a dry run).</summary>
    public static OrderEngineError From(Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var error = new OrderEngineError((StatusCode)status.Code, status.Message);
        error.ReadDetails(status);
        error.Complete(transportBroke: false);
        return error;
    }

    /// <summary>The reason, the message and what is known beyond them, in one line.</summary>
    public override string ToString() => $"{ReasonName}: {Message}";

    /// <summary>
    /// Why a stream ended. CANCELLED that nobody here asked for, and INTERNAL without a reason of the engine's, are how a server or proxy that
    /// goes away in the middle of a stream may look (a reset stream, missing trailers): both count as UNAVAILABLE.
    /// </summary>
    internal static OrderEngineException OfStream(RpcException broken)
    {
        var failure = OrderEngineException.From(broken);
        var cut = broken.StatusCode == StatusCode.Cancelled
            || (broken.StatusCode == StatusCode.Internal && failure.Error.Reason == ErrorReason.Unspecified
                && broken.Status.DebugException is not InvalidProtocolBufferException);
        return cut ? new OrderEngineException(Unavailable("The stream was cut off: " + broken.Status.Detail), cause: broken) : failure;
    }

    internal static OrderEngineError Unavailable(string message)
    {
        var error = new OrderEngineError(StatusCode.Unavailable, message);
        error.Complete(transportBroke: true);
        return error;
    }

    /// <summary>The refusal of an item that no message could carry; the engine was not asked.</summary>
    internal static OrderEngineError TooLarge(int bytes, int most)
    {
        var error = new OrderEngineError(StatusCode.ResourceExhausted,
            System.FormattableString.Invariant($"The item alone has {bytes:N0} bytes; a message may have {most:N0}. It was not sent."))
        {
            ReasonName = TooLargeReason,
        };
        error.Complete(transportBroke: false);
        return error;
    }

    private static bool TryParse(byte[] bytes, out Google.Rpc.Status status)
    {
        try
        {
            status = Google.Rpc.Status.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            // A proxy's trailer of the same name: status code and text still say what happened.
            status = new Google.Rpc.Status();
            return false;
        }
    }

    private void ReadDetails(Google.Rpc.Status status)
    {
        List<FieldProblem>? problems = null;
        List<StockShortage>? shortages = null;
        foreach (var detail in status.Details)
        {
            if (detail.TryUnpack(out ErrorInfo info) && info.Domain == Domain)
            {
                ReasonName = info.Reason;
                Metadata = info.Metadata.ToFrozenDictionary();
            }
            else if (detail.TryUnpack(out BadRequest bad))
            {
                (problems ??= []).AddRange(bad.FieldViolations.Select(v => new FieldProblem(v.Field, v.Description)));
            }
            else if (detail.TryUnpack(out RetryInfo retry) && retry.RetryDelay is { } delay)
            {
                RetryDelay = delay.ToTimeSpan();
            }
            else if (detail.TryUnpack(out StockShortage shortage))
            {
                (shortages ??= []).Add(shortage);
            }
        }

        FieldProblems = problems ?? FieldProblems;
        Shortages = shortages ?? Shortages;
    }

    // A reason that the catalogue knows decides by its entry; without one the status does, and RESOURCE_EXHAUSTED (which may also be a
    // message too large) only counts as "later" when the answer says how much later.
    private void Complete(bool transportBroke)
    {
        if (ReasonName.Length > 0 && Catalogue.TryGetValue(ReasonName, out var known))
        {
            Reason = known.Reason;
            Advice = known.Entry?.Action ?? "";
            Retryable = known.Entry?.Retry ?? false;
            return;
        }

        if (ReasonName.Length == 0)
            ReasonName = NameOf(StatusCode);
        Retryable = StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded
            || (StatusCode == StatusCode.ResourceExhausted && RetryDelay is not null)
            || transportBroke;
    }

    // A connection that is reset in the middle of a call is told as INTERNAL, CANCELLED or UNKNOWN; the cause below says what it was.
    private static bool TransportBroke(RpcException exception)
    {
        for (var cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException or HttpRequestException or System.Net.Sockets.SocketException)
                return true;
        }

        return false;
    }

    private static string NameOf(StatusCode code) => JsonNamingUpper(code.ToString());

    private static string JsonNamingUpper(string pascal)
    {
        var name = new System.Text.StringBuilder();
        foreach (var c in pascal)
        {
            if (char.IsUpper(c) && name.Length > 0 && !char.IsUpper(name[^1]) && pascal != "OK")
                name.Append('_');
            name.Append(char.ToUpperInvariant(c));
        }

        return name.ToString();
    }

    private static FrozenDictionary<string, (ErrorReason, ErrorEntry?)> ReadCatalogue()
    {
        const string prefix = "ERROR_REASON_";
        var entries = new Dictionary<string, (ErrorReason, ErrorEntry?)>(StringComparer.Ordinal);
        EnumDescriptor reasons = ErrorsReflection.Descriptor.FindTypeByName<EnumDescriptor>(nameof(ErrorReason));
        foreach (var value in reasons.Values)
        {
            var name = value.Name.StartsWith(prefix, StringComparison.Ordinal) ? value.Name[prefix.Length..] : value.Name;
            entries[name] = ((ErrorReason)value.Number, value.GetOptions()?.GetExtension(ErrorsExtensions.Error));
        }

        return entries.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
