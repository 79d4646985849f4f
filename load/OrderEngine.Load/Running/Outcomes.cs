// Errors as short words for the table of statuses, sorted into refused for load and failed.

using System.Collections.Concurrent;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>Turns errors into responses.</summary>
public static class Outcomes
{
    private static Known? _last;

    private static readonly ConcurrentDictionary<(StatusCode, string, bool), string> Words = new();

    /// <summary>A failed call. Anything but an error of the server's own is a failure too, under its type's name.</summary>
    public static Response FromException(Exception exception, int items = 1) => exception switch
    {
        RpcException rpc => FromRpc(rpc, items),
        OperationCanceledException => Response.Fail("STOPPED", items),
        _ => Response.Fail(exception.GetType().Name, items),
    };

    /// <summary>A refused item of a batch.</summary>
    public static Response FromStatus(Google.Rpc.Status status, int items = 1) => FromError(OrderEngineError.From(status), items);

    // Under overload tens of thousands a second are refused in the same words: taken apart once.
    private static Response FromRpc(RpcException exception, int items)
    {
        var details = exception.Trailers.GetValueBytes("grpc-status-details-bin");
        var last = Volatile.Read(ref _last);
        if (details is not null && last is not null && details.AsSpan().SequenceEqual(last.Details)) return last.IsRefusal ? Response.Refuse(last.Word, items) : Response.Fail(last.Word, items);
        var response = FromError(OrderEngineError.From(exception), items);
        if (details is not null) Volatile.Write(ref _last, new Known(details, response.Status, response.Refused > 0));
        return response;
    }

    private sealed record Known(byte[] Details, string Word, bool IsRefusal);

    private static Response FromError(OrderEngineError error, int items)
    {
        var word = Words.GetOrAdd((error.StatusCode, error.ReasonName, error.RetryDelay is null), static key =>
            key is (StatusCode.ResourceExhausted, _, true) ? $"{key.Item2} without a retry delay" : key.Item2);
        return error.StatusCode == StatusCode.ResourceExhausted && error.Reason == ErrorReason.QueueFull
            ? Response.Refuse(word, items)
            : Response.Fail(word, items);
    }
}
