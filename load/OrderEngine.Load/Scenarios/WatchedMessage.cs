// What a subscriber of the load tool reads of a message of WatchOrders: enough to see that nothing is missing. Ten subscribers that take everything would
// otherwise spend five times as long on making objects of it, on processors that the server needs. One reader.

using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Load.Scenarios;

/// <summary>The events of one message, as far as they are looked at.</summary>
internal sealed class WatchedMessage
{
    /// <summary>WatchOrders, whose messages are read so.</summary>
    public static readonly Method<WatchOrdersRequest, WatchedMessage> Method = new(
        MethodType.ServerStreaming, TrackingService.Descriptor.FullName, "WatchOrders",
        Marshallers.Create(static request => request.ToByteArray(), static bytes => WatchOrdersRequest.Parser.ParseFrom(bytes)),
        Marshallers.Create<WatchedMessage>(static (_, _) => throw new NotSupportedException("Nobody sends these."), static context => Read(context.PayloadAsReadOnlySequence())));

    private static readonly uint EventsTag = WireFormat.MakeTag(WatchOrdersResponse.EventsFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint EventTag = WireFormat.MakeTag(OrderEventPage.EventsFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint SequenceTag = WireFormat.MakeTag(OrderEvent.SequenceFieldNumber, WireFormat.WireType.Varint);
    private static readonly uint ExternalIdTag = WireFormat.MakeTag(OrderEvent.ExternalOrderIdFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint SubmittedTag = WireFormat.MakeTag(OrderEvent.SubmittedFieldNumber, WireFormat.WireType.LengthDelimited);

    /// <summary>Events, in the order in which they came.</summary>
    public List<(long Sequence, string ExternalOrderId, bool IsSubmitted)> Events { get; } = [];

    /// <summary>Reads a WatchOrdersResponse; a heartbeat or a page of a snapshot has no events.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is none.</exception>
    internal static WatchedMessage Read(ReadOnlySequence<byte> payload)
    {
        var length = (int)payload.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(bytes);
            var message = new WatchedMessage();
            var input = new CodedInputStream(bytes, 0, length);
            while (input.ReadTag() is var tag and not 0)
            {
                if (tag == EventsTag) message.ReadPage(input);
                else input.SkipLastField();
            }
            return message;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void ReadPage(CodedInputStream input)
    {
        for (var end = End(input); input.Position < end;)
        {
            if (input.ReadTag() == EventTag) ReadEvent(input);
            else input.SkipLastField();
        }
    }

    private void ReadEvent(CodedInputStream input)
    {
        var (sequence, externalId, isSubmitted) = (0L, "", false);
        for (var end = End(input); input.Position < end;)
        {
            var tag = input.ReadTag();
            if (tag == SequenceTag) sequence = input.ReadInt64();
            else if (tag == ExternalIdTag) externalId = input.ReadString();
            else
            {
                isSubmitted |= tag == SubmittedTag;
                input.SkipLastField();
            }
        }
        Events.Add((sequence, externalId, isSubmitted));
    }

    private static long End(CodedInputStream input)
    {
        var length = input.ReadLength();
        return input.Position + length;
    }
}
