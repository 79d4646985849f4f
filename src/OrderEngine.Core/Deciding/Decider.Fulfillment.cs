// Deciding what the warehouse and the carrier report: release, ship, deliver.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private LineMovement[] _movements = new LineMovement[16];
    private int _movementCount;

    private Outcome Release(ReleaseShipment release)
    {
        var refusal = FindOrder(release.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Head.Holds != OrderHolds.None) return Refuse(Outcome.OrderOnHold, release.Order, holds: order.Head.Holds);
        if (!PlanMovements(order, release.Lines, released: false)) return Refuse(Outcome.QuantityNotAvailable, release.Order);

        CopyLines(order);
        foreach (ref readonly var movement in Movements)
        {
            _lines[movement.Line - 1].Reserved -= movement.Quantity;
            _lines[movement.Line - 1].Released += movement.Quantity;
        }
        BeginOrderEvent(release.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.ShipmentReleased);
        foreach (ref readonly var movement in Movements) Movement(1, movement.Line, movement.Location, movement.Quantity);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Confirm(ConfirmShipment confirm)
    {
        var refusal = FindOrder(confirm.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!PlanMovements(order, confirm.Lines, released: true) || !OneLocation() || order.Head.Parcels >= Limits.ParcelsPerOrder)
            return Refuse(Outcome.QuantityNotAvailable, confirm.Order);

        CopyLines(order);
        foreach (ref readonly var movement in Movements)
        {
            _lines[movement.Line - 1].Released -= movement.Quantity;
            _lines[movement.Line - 1].Shipped += movement.Quantity;
        }
        BeginOrderEvent(confirm.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.ShipmentConfirmed);
        _events.Number(1, order.Head.Parcels + 1);
        _events.Bytes(2, confirm.Carrier);
        _events.Bytes(3, confirm.TrackingNumber);
        foreach (ref readonly var movement in Movements) Movement(4, movement.Line, movement.Location, movement.Quantity);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Deliver(RecordDelivery delivery)
    {
        var refusal = FindOrder(delivery.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!WantLines(order.Lines, delivery.Lines)) return Refuse(Outcome.QuantityNotAvailable, delivery.Order);
        var any = false;
        var lines = order.Lines;
        for (var i = 0; i < _lineCount; i++)
        {
            ref readonly var line = ref lines[i];
            var open = line.Shipped - line.Delivered - line.Lost;
            if (delivery.Lines.Length == 0) _wanted[i] = open;
            if (_wanted[i] > open) return Refuse(Outcome.QuantityNotAvailable, delivery.Order);
            any |= _wanted[i] > 0;
        }
        if (!any) return Refuse(Outcome.QuantityNotAvailable, delivery.Order);

        CopyLines(order);
        for (var i = 0; i < _lineCount; i++) _lines[i].Delivered += _wanted[i];
        BeginOrderEvent(delivery.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.DeliveryRecorded);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) Quantity(1, i + 1, _wanted[i]);
        EndAnswer();
        return Outcome.Ok;
    }

    private ReadOnlySpan<LineMovement> Movements => _movements.AsSpan(0, _movementCount);

    /// <summary>What moves: the entries asked for, or, when none are, every unit in the state it moves from. False when units are not there.</summary>
    private bool PlanMovements(OrderView order, LineMovement[] wanted, bool released)
    {
        _movementCount = 0;
        var allocations = order.Allocations;
        if (_movements.Length < Math.Max(wanted.Length, allocations.Length)) _movements = new LineMovement[Math.Max(wanted.Length, allocations.Length)];
        if (wanted.Length == 0)
        {
            foreach (ref readonly var allocation in allocations)
            {
                var quantity = released ? allocation.Released : allocation.Reserved;
                if (quantity > 0) _movements[_movementCount++] = new LineMovement(allocation.Line, allocation.Location, quantity);
            }
            return _movementCount > 0;
        }
        foreach (ref readonly var movement in wanted.AsSpan())
        {
            var available = 0;
            foreach (ref readonly var allocation in allocations)
                if (allocation.Line == movement.Line && allocation.Location == movement.Location) available = released ? allocation.Released : allocation.Reserved;
            if (available < movement.Quantity) return false;
            _movements[_movementCount++] = movement;
        }
        return true;
    }

    private bool OneLocation()
    {
        foreach (ref readonly var movement in Movements)
            if (movement.Location != _movements[0].Location) return false;
        return true;
    }
}
