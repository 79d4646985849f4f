// Deciding what the warehouse is given and gives back: release, recall, ship.

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
        if ((order.Head.Details & OrderDetails.ShipComplete) != 0 && IsMissing(order.Lines)) return Refuse(Outcome.OrderNotComplete, release.Order);
        if (order.Head.Terms == PaymentTerms.Prepaid && PaymentStates.ValueOf(order.Lines) > order.Head.Paid - order.Head.Refunded)
            return Refuse(Outcome.PaymentOutstanding, release.Order);
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

    private static bool IsMissing(ReadOnlySpan<LineRow> lines)
    {
        foreach (ref readonly var line in lines)
            if (line.Backordered + line.Unallocated > 0) return true;
        return false;
    }

    private Outcome Recall(RecallShipment recall)
    {
        var refusal = FindOrder(recall.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!PlanMovements(order, recall.Lines, released: true)) return Refuse(Outcome.QuantityNotAvailable, recall.Order);

        CopyLines(order);
        foreach (ref readonly var movement in Movements)
        {
            _lines[movement.Line - 1].Released -= movement.Quantity;
            _lines[movement.Line - 1].Reserved += movement.Quantity;
        }
        BeginOrderEvent(recall.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.ShipmentRecalled);
        foreach (ref readonly var movement in Movements) Movement(1, movement.Line, movement.Location, movement.Quantity);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Confirm(ConfirmShipment confirm)
    {
        var refusal = FindOrder(confirm.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!PlanMovements(order, confirm.Lines, released: true) || !PlanShort(order, confirm) || !OneLocation(confirm.Short)
            || order.Head.Parcels >= Limits.ParcelsPerOrder || order.Head.ParcelLineCount + _movementCount > Limits.ParcelLinesPerOrder)
            return Refuse(Outcome.QuantityNotAvailable, confirm.Order);

        CopyLines(order);
        if (_movementCount > 0) WriteShipped(confirm, order);
        if (confirm.Short.Length > 0) WriteShort(confirm, order);
        return Outcome.Ok;
    }

    private void WriteShipped(ConfirmShipment confirm, OrderView order)
    {
        foreach (ref readonly var movement in Movements)
        {
            _lines[movement.Line - 1].Released -= movement.Quantity;
            _lines[movement.Line - 1].Shipped += movement.Quantity;
        }
        var answers = confirm.Short.Length == 0;
        BeginOrderEvent(confirm.Order, in order.Head, Derived(), answers);
        _events.BeginBody(EventKind.ShipmentConfirmed);
        _events.Number(1, order.Head.Parcels + 1);
        _events.Bytes(2, confirm.Carrier);
        _events.Bytes(3, confirm.TrackingNumber);
        foreach (ref readonly var movement in Movements) Movement(4, movement.Line, movement.Location, movement.Quantity);
        if (answers) EndAnswer();
        else EndEvent();
    }

    private void WriteShort(ConfirmShipment confirm, OrderView order)
    {
        foreach (ref readonly var missed in confirm.Short.AsSpan())
        {
            ref var line = ref _lines[missed.Line - 1];
            line.Released -= missed.Quantity;
            line.Backordered += missed.Quantity;
        }
        foreach (ref readonly var missed in confirm.Short.AsSpan())
            RaiseException(ExceptionKind.ShortPick, Grade.Medium, Role.Warehouse, confirm.Order, missed.Line, _lines[missed.Line - 1].Sku, missed.Location, missed.Quantity);
        BeginOrderEvent(confirm.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.PickFellShort);
        foreach (ref readonly var missed in confirm.Short.AsSpan())
        {
            var nested = _events.BeginNested(1);
            _events.Number(1, missed.Line);
            _events.Number(2, missed.Location);
            _events.Number(3, missed.Quantity);
            _events.Number(4, (long)(missed.Cause == ShortPickCause.None ? ShortPickCause.Missing : missed.Cause));
            _events.EndNested(nested);
        }
        EndAnswer();
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

    /// <summary>True when what fell short was released and is not shipped as well. Where no lines were named, it is taken from all that was released.</summary>
    private bool PlanShort(OrderView order, ConfirmShipment confirm)
    {
        foreach (ref readonly var missed in confirm.Short.AsSpan())
        {
            var left = ReleasedAt(order, missed.Line, missed.Location) - missed.Quantity;
            for (var i = 0; i < _movementCount; i++)
            {
                ref var movement = ref _movements[i];
                if (movement.Line != missed.Line || movement.Location != missed.Location) continue;
                if (confirm.Lines.Length == 0) movement = movement with { Quantity = left };
                else left -= movement.Quantity;
            }
            if (left < 0) return false;
        }
        var kept = 0;
        for (var i = 0; i < _movementCount; i++)
            if (_movements[i].Quantity > 0) _movements[kept++] = _movements[i];
        _movementCount = kept;
        return true;
    }

    private static int ReleasedAt(OrderView order, int line, int location)
    {
        foreach (ref readonly var allocation in order.Allocations)
            if (allocation.Line == line && allocation.Location == location) return allocation.Released;
        return 0;
    }

    // A parcel leaves one place, and what is missing from it was to leave the same.
    private bool OneLocation(ShortPick[] missed)
    {
        var location = _movementCount > 0 ? _movements[0].Location : missed[0].Location;
        foreach (ref readonly var movement in Movements)
            if (movement.Location != location) return false;
        foreach (ref readonly var one in missed.AsSpan())
            if (one.Location != location) return false;
        return true;
    }
}
