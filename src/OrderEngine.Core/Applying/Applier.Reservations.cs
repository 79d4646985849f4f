// Applying what happened to holds.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private HeldRow[] _held = new HeldRow[16];

    private unsafe void Created(in EventView e)
    {
        CheckParties(in e);
        var count = 0;
        long number = 0, expires = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2:
                    if (count == _held.Length) Array.Resize(ref _held, count * 2);
                    ref var held = ref _held[count++];
                    held = default;
                    ProtoReader.ReadThree(reader.Bytes(), out held.Sku, out held.Location, out held.Quantity);
                    CheckPlace(held.Sku, held.Location);
                    state.Stock.Change(held.Sku, held.Location, e.Sequence, held: held.Quantity);
                    break;
                case 3: expires = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        if (number != state.Reservations.Count + 1) throw new ApplyException($"Reservation {number} does not follow {state.Reservations.Count}.");
        var row = state.Reservations.Create(number, sizeof(ReservationHead) + count * sizeof(HeldRow), e.Sequence);
        ref var head = ref MemoryMarshal.AsRef<ReservationHead>(row);
        head = new ReservationHead
        {
            Channel = e.Channel,
            Customer = e.Customer,
            ItemCount = count,
            State = ReservationState.Held,
            RemindSeconds = state.Catalog.DeadlineRules.HoldRemindSeconds,
            CreatedAt = e.Time,
            ExpiresAt = expires,
            Version = e.Sequence,
            CreatedSequence = e.Sequence,
        };
        MemoryMarshal.AsBytes(_held.AsSpan(0, count)).CopyTo(row[sizeof(ReservationHead)..]);
        state.Timers.Set(head.Timer(number));
        state.CountOpen(e.Channel, e.Customer, 1);
    }

    private void Extended(in EventView e)
    {
        ReadNumbers(e.Body, out var number, out var expires);
        ref var head = ref Held(number, e.Sequence);
        state.Timers.Clear(head.Timer(number));
        head.ExpiresAt = expires;
        head.RemindSeconds = state.Catalog.DeadlineRules.HoldRemindSeconds;
        head.Reminded = 0;
        head.Version = e.Sequence;
        state.Timers.Set(head.Timer(number));
    }

    private void HoldReminded(in EventView e)
    {
        ReadNumbers(e.Body, out var number, out _);
        ref var head = ref Held(number, e.Sequence);
        if (!head.IsReminder) throw new ApplyException($"Reservation {number} is not to be reminded of.");
        state.Timers.Clear(head.Timer(number));
        head.Reminded = 1;
        head.Version = e.Sequence;
        state.Timers.Set(head.Timer(number));
    }

    private void Closed(in EventView e, ReservationState to)
    {
        ReadNumbers(e.Body, out var number, out var order);
        ref var head = ref Held(number, e.Sequence);
        state.Timers.Clear(head.Timer(number));
        head.State = to;
        head.Order = order;
        head.Version = e.Sequence;
        state.CountOpen(head.Channel, head.Customer, -1);
        foreach (ref readonly var item in state.Reservation(number).Items)
        {
            state.Stock.Change(item.Sku, item.Location, e.Sequence, held: -item.Quantity);
            state.Queues.MarkPending(item.Sku);
        }
    }

    private ref ReservationHead Held(long number, long sequence)
    {
        ref var head = ref MemoryMarshal.AsRef<ReservationHead>(state.Reservations.Update(number, sequence));
        if (head.State != ReservationState.Held) throw new ApplyException($"Reservation {number} is {head.State}, not held.");
        return ref head;
    }

    private static void ReadNumbers(ReadOnlySpan<byte> body, out long first, out long second)
    {
        first = second = 0;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) first = reader.Long();
            else if (field == 2) second = reader.Long();
            else reader.Skip(wireType);
        }
    }
}
