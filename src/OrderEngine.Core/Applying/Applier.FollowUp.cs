// Applying what has to be followed up: deadlines and exceptions.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void Missed(in EventView e)
    {
        Change(in e, 0);
        ReadNumbers(e.Body, out var kind, out _);
        if (!state.Deadlines.Clear(e.Order, (DeadlineKind)kind, e.Sequence)) throw new ApplyException($"Order {e.Order} has no deadline of kind {kind}.");
    }

    private void Raised(in EventView e)
    {
        long number = 0;
        var head = new ExceptionHead { Order = e.Order, RaisedAt = e.Time, RaisedSequence = e.Sequence, Version = e.Sequence };
        ReadOnlySpan<byte> detail = default;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Kind = (ExceptionKind)reader.Varint(); break;
                case 3: head.Grade = (Grade)reader.Varint(); break;
                case 4: head.Owner = (Role)reader.Varint(); break;
                case 5: head.Line = reader.Int(); break;
                case 6:
                    head.Sku = reader.Int();
                    CheckKnown(head.Sku, state.Catalog.SkuIds, "SKU");
                    break;
                case 7:
                    head.Location = reader.Int();
                    CheckKnown(head.Location, state.Catalog.LocationIds, "location");
                    break;
                case 8: head.Quantity = reader.Long(); break;
                case 9: head.Deadline = (DeadlineKind)reader.Varint(); break;
                case 10: detail = reader.Bytes(); break;
                default: reader.Skip(wireType); break;
            }
        }
        if (number != state.Exceptions.Rows.Count + 1) throw new ApplyException($"Exception {number} does not follow {state.Exceptions.Rows.Count}.");
        head.DetailLength = checked((ushort)detail.Length);
        if (e.Order != 0)
        {
            var order = Change(in e, 0);
            head.Previous = order.Head.LastException;
            order.Head.LastException = checked((int)number);
            order.Head.OpenExceptions++;
            state.Index.Raise(e.Order, head.Kind);
        }
        state.Exceptions.Raise(number, in head, detail, e.Sequence);
    }

    private void Resolved(in EventView e)
    {
        long number = 0;
        ReadOnlySpan<byte> resolution = default;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) number = reader.Long();
            else if (field == 2) resolution = reader.Bytes();
            else reader.Skip(wireType);
        }
        var exception = state.Exceptions.Of(number);
        if (!exception.Exists || !exception.IsOpen || exception.Head.Order != e.Order) throw new ApplyException($"Exception {number} of order {e.Order} is not open.");
        var kind = exception.Head.Kind;
        state.Exceptions.Resolve(number, e.Time, e.Role, resolution, e.Actor, e.Sequence);
        if (e.Order == 0) return;
        Change(in e, 0).Head.OpenExceptions--;
        state.Index.Resolve(e.Order, kind, e.Sequence);
    }
}
