// What a subscriber of the load tool reads of a message of WatchOrders: enough to see that nothing is missing. Ten subscribers that take everything would
// otherwise spend five times as long on making objects of it, on processors that the server needs. One reader.

using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;

namespace OrderEngine.Load.Scenarios;

/// <summary>An event as far as it is looked at.</summary>
/// <param name="Sequence">Its position.</param>
/// <param name="Submitted">The order of the run that it says was submitted; <see cref="WatchedMessage.NoOrder"/>: it says something else, or of another run's.</param>
internal readonly record struct WatchedEvent(long Sequence, long Submitted);

/// <summary>The events of one message.</summary>
internal sealed class WatchedMessage
{
    /// <summary>No index of an order.</summary>
    public const long NoOrder = -1;

    /// <summary>In the order in which they came.</summary>
    public List<WatchedEvent> Events { get; } = [];

    /// <summary>WatchOrders, whose messages are read so. A channel remembers each that it has seen: one a run.</summary>
    public static Method<WatchOrdersRequest, WatchedMessage> MethodFor(Workload workload) => new(
        MethodType.ServerStreaming, TrackingService.Descriptor.FullName, "WatchOrders",
        Marshallers.Create(static request => request.ToByteArray(), static bytes => WatchOrdersRequest.Parser.ParseFrom(bytes)),
        Marshallers.Create<WatchedMessage>(static (_, _) => throw new NotSupportedException("Nobody sends these."), context => Read(context.PayloadAsReadOnlySequence(), workload)));

    /// <summary>Reads a WatchOrdersResponse; a heartbeat or a page of a snapshot has no events.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static WatchedMessage Read(in ReadOnlySequence<byte> payload, Workload workload)
    {
        var message = new WatchedMessage();
        var reader = new ProtoReader(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());
        while (reader.Next(out var field, out var wireType))
        {
            if (field == WatchOrdersResponse.EventsFieldNumber) message.ReadPage(reader.Bytes(), workload);
            else reader.Skip(wireType);
        }
        return message;
    }

    private void ReadPage(ReadOnlySpan<byte> page, Workload workload)
    {
        var reader = new ProtoReader(page);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == OrderEventPage.EventsFieldNumber) Events.Add(ReadEvent(reader.Bytes(), workload));
            else reader.Skip(wireType);
        }
    }

    private static WatchedEvent ReadEvent(ReadOnlySpan<byte> watched, Workload workload)
    {
        var reader = new ProtoReader(watched);
        var sequence = 0L;
        ReadOnlySpan<byte> externalId = default;
        var isSubmitted = false;
        while (reader.Next(out var field, out var wireType))
        {
            if (field == OrderEvent.SequenceFieldNumber) sequence = reader.Long();
            else if (field == OrderEvent.ExternalOrderIdFieldNumber) externalId = reader.Bytes();
            else
            {
                isSubmitted |= field == OrderEvent.SubmittedFieldNumber;
                reader.Skip(wireType);
            }
        }
        return new WatchedEvent(sequence, isSubmitted && workload.TryIndex(externalId, out var index) ? index : NoOrder);
    }
}
