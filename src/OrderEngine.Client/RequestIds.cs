// Owns the request ids that this library makes. Any thread.
using Google.Protobuf;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>Request ids: what makes it safe to send a change again.</summary>
public static class RequestIds
{
    // Every change of the contract has these two fields under these names; reads have no request id.
    private const string RequestIdField = "request_id";
    private const string ActorField = "actor";

    /// <summary>A new id: a UUID of version 7, 36 bytes, ordered by time.</summary>
    public static string New(TimeProvider? time = null) => Guid.CreateVersion7((time ?? TimeProvider.System).GetUtcNow()).ToString();

    /// <summary>Gives a change without an id a new one, and one without an actor the given one, in the message itself.</summary>
    internal static void Complete(IMessage message, Actor? actor, TimeProvider time)
    {
        if (message.Descriptor.FindFieldByName(RequestIdField)?.Accessor is not { } id)
            return;
        if (((string)id.GetValue(message)).Length == 0)
            id.SetValue(message, New(time));
        if (actor is not null && message.Descriptor.FindFieldByName(ActorField)?.Accessor is { } who && who.GetValue(message) is null)
            who.SetValue(message, actor);
    }
}
