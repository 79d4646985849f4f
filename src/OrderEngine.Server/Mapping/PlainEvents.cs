// The short way of an order's first event: from the journal's bytes to OrderEvent's, without objects in between. Taken by orders that got all they asked
// for (PlainAnswers.IsPlain), most of what is followed; every other event goes the long way (OrderEvents). PlainOrderTests holds the two together. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Server.Wire;
using static OrderEngine.Server.Wire.WireWriter;
using Journaled = OrderEngine.Contracts.Journal;
using Role = OrderEngine.Core.Role;

namespace OrderEngine.Server.Mapping;

/// <summary>Writes OrderEvents of plain orders.</summary>
internal static class PlainEvents
{
    private const uint Submitted = OrderEvent.SubmittedFieldNumber << 3 | Delimited;
    private const uint ShippingPolicyOfOrder = OrderSubmitted.ShippingPolicyFieldNumber << 3 | Numeric;

    // What surrounds a text of up to Limits.IdBytes and some numbers.
    private const int PartBytes = 2 * Limits.IdBytes, LineBytes = 3 * Limits.IdBytes, HeadBytes = 8 * Limits.IdBytes, TailBytes = Limits.IdBytes;

    /// <summary>Writes an event within a read guard that the caller holds; returns its bytes, 0: it must go the long way.</summary>
    /// <param name="room">Where it goes; what does not surely fit goes the long way.</param>
    /// <param name="e">The journal's event.</param>
    /// <param name="reader">For ids.</param>
    public static int Write(Span<byte> room, in EventView e, StateReader reader)
    {
        // Without a role there was no request behind it, which the long way tells from one whose role is not set.
        if (e.Kind != EventKind.OrderSubmitted || e.Role == Role.None || !PlainAnswers.IsPlain(e)) return 0;
        var forBody = room.Length - HeadBytes - e.Actor.Length - e.Reason.Length;
        if (forBody < 0) return 0;
        Span<byte> body = stackalloc byte[forBody];
        var length = WriteBody(body, e.Body, reader);
        if (length == 0) return 0;

        Span<byte> id = stackalloc byte[PublicId.Length];
        PublicId.Format(PublicId.Order, e.Order, id);
        Span<byte> small = stackalloc byte[HeadBytes + e.Actor.Length];
        var writer = new WireWriter(room);
        writer.Number(OrderEvent.SequenceFieldNumber << 3 | Numeric, (ulong)e.Sequence);
        if (e.Time != 0) writer.Bytes(OrderEvent.TimeFieldNumber << 3 | Delimited, small[..WireWriter.Time(small, e.Time)]);
        writer.Bytes(OrderEvent.OrderIdFieldNumber << 3 | Delimited, id);
        writer.Text(OrderEvent.ChannelIdFieldNumber << 3 | Delimited, reader.Channels.Text(e.Channel));
        writer.Text(OrderEvent.ExternalOrderIdFieldNumber << 3 | Delimited, reader.ExternalId(e.Order));
        writer.Text(OrderEvent.CustomerIdFieldNumber << 3 | Delimited, reader.Customers.Text(e.Customer));
        writer.Number(OrderEvent.StateBeforeFieldNumber << 3 | Numeric, (ulong)e.Before);
        writer.Number(OrderEvent.StateAfterFieldNumber << 3 | Numeric, (ulong)e.After);
        var actor = new WireWriter(small);
        actor.Text(Actor.IdFieldNumber << 3 | Delimited, e.Actor);
        actor.Number(Actor.RoleFieldNumber << 3 | Numeric, (ulong)e.Role);
        writer.Bytes(OrderEvent.ActorFieldNumber << 3 | Delimited, small[..actor.Length]);
        writer.Text(OrderEvent.ReasonFieldNumber << 3 | Delimited, e.Reason);
        writer.Bytes(Submitted, body[..length]);
        return writer.Length;
    }

    // OrderSubmitted; 0: it may not fit.
    private static int WriteBody(Span<byte> room, ReadOnlySpan<byte> submitted, StateReader reader)
    {
        Span<byte> line = stackalloc byte[room.Length];
        var writer = new WireWriter(room);
        ReadOnlySpan<byte> currency = default;
        long reservation = 0;
        ulong total = 0;
        var number = 0;
        var body = new ProtoReader(submitted);
        while (body.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case Journaled.OrderSubmitted.LinesFieldNumber:
                    var length = WriteLine(line, ++number, body.Bytes(), reader, ref total);
                    if (length == 0 || room.Length - writer.Length < length + TailBytes) return 0;
                    writer.Bytes(OrderSubmitted.LinesFieldNumber << 3 | Delimited, line[..length]);
                    break;
                case Journaled.OrderSubmitted.CurrencyFieldNumber: currency = body.Bytes(); break;
                case Journaled.OrderSubmitted.ReservationFieldNumber: reservation = body.Long(); break;
                default: body.Skip(wireType); break;
            }
        }
        Span<byte> id = stackalloc byte[PublicId.Length];
        if (reservation != 0) PublicId.Format(PublicId.Reservation, reservation, id);
        writer.Text(OrderSubmitted.CurrencyCodeFieldNumber << 3 | Delimited, currency);
        writer.Number(OrderSubmitted.TotalMinorFieldNumber << 3 | Numeric, total);
        writer.Text(OrderSubmitted.ReservationIdFieldNumber << 3 | Delimited, reservation == 0 ? default : id);
        writer.Number(ShippingPolicyOfOrder, (ulong)Contracts.V1.ShippingPolicy.Partial);
        return writer.Length;
    }

    // SubmittedLine; 0: it may not fit.
    private static int WriteLine(Span<byte> room, int number, ReadOnlySpan<byte> journaled, StateReader reader, ref ulong total)
    {
        if (room.Length < LineBytes) return 0;
        var sku = 0;
        ulong quantity = 0, price = 0;
        var line = new ProtoReader(journaled);
        while (line.Next(out var field, out var wireType))
        {
            if (field == Journaled.SubmittedLine.SkuFieldNumber) sku = line.Int();
            else if (field == Journaled.SubmittedLine.QuantityFieldNumber) quantity = line.Varint();
            else if (field == Journaled.SubmittedLine.UnitPriceFieldNumber) price = line.Varint();
            else line.Skip(wireType);
        }
        total += quantity * price;
        var writer = new WireWriter(room);
        writer.Number(SubmittedLine.LineNumberFieldNumber << 3 | Numeric, (ulong)number);
        writer.Text(SubmittedLine.SkuIdFieldNumber << 3 | Delimited, reader.Skus.Text(sku));
        writer.Number(SubmittedLine.QuantityFieldNumber << 3 | Numeric, quantity);
        writer.Number(SubmittedLine.UnitPriceMinorFieldNumber << 3 | Numeric, price);
        Span<byte> part = stackalloc byte[PartBytes];
        line = new ProtoReader(journaled);
        while (line.Next(out var field, out var wireType))
        {
            if (field != Journaled.SubmittedLine.ReservedFieldNumber)
            {
                line.Skip(wireType);
                continue;
            }
            if (room.Length - writer.Length < PartBytes) return 0;
            ProtoReader.ReadThree(line.Bytes(), out var location, out var units, out _);
            var reserved = new WireWriter(part);
            reserved.Text(LocationQuantity.LocationIdFieldNumber << 3 | Delimited, reader.Locations.Text(location));
            reserved.Number(LocationQuantity.QuantityFieldNumber << 3 | Numeric, (ulong)units);
            writer.Bytes(SubmittedLine.ReservedFieldNumber << 3 | Delimited, part[..reserved.Length]);
        }
        return writer.Length;
    }
}
