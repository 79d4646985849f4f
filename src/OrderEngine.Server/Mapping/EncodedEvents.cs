// Orders' events as WatchOrders sends them, encoded once for all who follow: those who take everything stand at nearly the same place. Any thread.

using Google.Protobuf;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Server.Mapping;

/// <summary>The newest events that somebody asked for, encoded. What an event says does not depend on who asks, nor on when.</summary>
/// <param name="places">How many.</param>
internal sealed class EncodedEvents(int places = ServerLimits.EncodedEvents)
{
    private readonly Encoded?[] _places = new Encoded?[places];

    /// <summary>One event as OrderEvent's bytes, within a read guard that the caller holds.</summary>
    /// <param name="reader">For ids.</param>
    /// <param name="journaled">The journal's event.</param>
    /// <param name="at">A sequence at which its order exists.</param>
    public Encoded Of(StateReader reader, ReadOnlySpan<byte> journaled, long at)
    {
        var sequence = EventView.SequenceOf(journaled);
        ref var place = ref _places[sequence % _places.Length];
        if (Volatile.Read(ref place) is { } known && known.Sequence == sequence) return known;
        Span<byte> room = stackalloc byte[ServerLimits.EncodedEventBytes];
        var length = PlainEvents.Write(room, new EventView(journaled), reader);
        var made = new Encoded(sequence, length > 0 ? room[..length].ToArray() : OrderEvents.Map(reader, journaled, at).ToByteArray());
        // Long ones are made again, so that all that is remembered stays within bounds.
        if (made.Bytes.Length <= ServerLimits.EncodedEventBytes) Volatile.Write(ref place, made);
        return made;
    }

    /// <param name="Sequence">Of the event.</param>
    /// <param name="Bytes">orderengine.v1.OrderEvent.</param>
    internal sealed record Encoded(long Sequence, byte[] Bytes);
}
