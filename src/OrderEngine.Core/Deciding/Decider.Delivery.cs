// Deciding what the carrier reports of shipped units: delivered or lost, of one parcel or of any.

using System.Globalization;
using System.Text.Unicode;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private int[] _open = new int[16];

    private Outcome Deliver(RecordDelivery delivery)
    {
        var refusal = PlanArrival(delivery.Order, delivery.Parcel, delivery.Lines, out var order);
        if (refusal != Outcome.Ok) return refusal;
        for (var i = 0; i < _lineCount; i++) _lines[i].Delivered += _wanted[i];
        WriteArrival(EventKind.DeliveryRecorded, delivery.Order, order, delivery.Parcel);
        return Outcome.Ok;
    }

    private Outcome Lose(RecordLoss loss)
    {
        var refusal = PlanArrival(loss.Order, loss.Parcel, loss.Lines, out var order);
        if (refusal != Outcome.Ok) return refusal;
        long units = 0;
        for (var i = 0; i < _lineCount; i++)
        {
            _lines[i].Lost += _wanted[i];
            units += _wanted[i];
            // What came back, or is to, cannot be lost.
            if (_lines[i].Returned + _lines[i].ReturnOpen > _lines[i].Shipped - _lines[i].Lost) return Refuse(Outcome.QuantityNotAvailable, loss.Order);
        }
        Span<byte> parcel = stackalloc byte[16];
        var length = 0;
        if (loss.Parcel != 0) Utf8.TryWrite(parcel, CultureInfo.InvariantCulture, $"parcel {loss.Parcel}", out length);
        RaiseException(ExceptionKind.LostParcel, Grade.High, Role.Support, loss.Order, quantity: units, detail: parcel[..length]);
        WriteArrival(EventKind.LossRecorded, loss.Order, order, loss.Parcel);
        RaiseRefundDue(loss.Order, order, PaymentStates.ValueOf(Planned));
        CreditExchange(loss.Order);
        return Outcome.Ok;
    }

    /// <summary>Notes in <see cref="_wanted"/> the units of each line that the report is about: those named, or all that are under way.</summary>
    private Outcome PlanArrival(long number, int parcel, LineQuantity[] wanted, out OrderView order)
    {
        var refusal = FindOrder(number, out order);
        if (refusal != Outcome.Ok) return refusal;
        if (parcel > order.Head.Parcels) return Outcome.ParcelNotFound;
        if (!WantLines(order.Lines, wanted)) return Refuse(Outcome.QuantityNotAvailable, number);
        CopyLines(order);
        CountOpen(order, parcel);
        var any = false;
        for (var i = 0; i < _lineCount; i++)
        {
            if (wanted.Length == 0) _wanted[i] = _open[i];
            if (_wanted[i] > _open[i]) return Refuse(Outcome.QuantityNotAvailable, number);
            any |= _wanted[i] > 0;
        }
        return any ? Outcome.Ok : Refuse(Outcome.QuantityNotAvailable, number);
    }

    // Units under way by line, of one parcel or of all.
    private void CountOpen(OrderView order, int parcel)
    {
        if (_open.Length < _lineCount) _open = new int[_lineCount];
        Array.Clear(_open, 0, _lineCount);
        foreach (ref readonly var line in order.ParcelLines)
            if (parcel == 0 || line.Parcel == parcel) _open[line.Line - 1] += line.Open;
    }

    private void WriteArrival(EventKind kind, long number, OrderView order, int parcel)
    {
        BeginOrderEvent(number, in order.Head, Derived());
        _events.BeginBody(kind);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) Quantity(1, i + 1, _wanted[i]);
        _events.Number(2, parcel);
        EndAnswer();
    }
}
