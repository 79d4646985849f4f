// The deadlines of orders: a row for each order that has any, and a timer for each deadline. The writer changes; rows are read from any thread.
//
// How another area uses it: the event that begins the wait sets it when applied (Set), every event that ends the wait takes it away (Clear).
// When it passes first, Decider.Fire decides what comes of it; a command on the order fires what has passed before it is decided.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A deadline of an order.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct DeadlineRow
{
    /// <summary>Microseconds since 1970.</summary>
    public long Due;
    /// <summary>When it is to be reminded of, microseconds since 1970; 0: not, or no more.</summary>
    public long RemindAt;
    /// <summary>Of the event that set it.</summary>
    public long Sequence;
    /// <summary>What is due; an order has one of a kind at most.</summary>
    public DeadlineKind Kind;
    /// <summary>Zero.</summary>
    public byte Unused;
    /// <summary>Zero.</summary>
    public ushort Unused2;
    /// <summary>Zero.</summary>
    public int Unused3;
}

/// <summary>The deadlines of all orders.</summary>
internal sealed class Deadlines(RowHeap heap, Reclaimer reclaimer, TimerQueue timers, Catalog catalog)
{
    /// <summary>By order number: DeadlineRow x n; no row when the order has none.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 30);

    /// <summary>An order's deadlines. Writer only.</summary>
    public ReadOnlySpan<DeadlineRow> Of(long order) => MemoryMarshal.Cast<byte, DeadlineRow>(Rows.Latest(order));

    /// <summary>
    /// Sets an order's deadline of a kind, in place of the one it has. It is reminded of as long before as <see cref="DeadlineRules.Remind"/> says; at once,
    /// when it is nearer than that; or, being nobody's to meet, not at all.
    /// </summary>
    public unsafe void Set(long order, DeadlineKind kind, long due, long sequence, bool reminds = true)
    {
        Clear(order, kind, sequence);
        var length = Rows.Latest(order).Length;
        var row = length == 0 ? Rows.Create(order, sizeof(DeadlineRow), sequence) : Rows.Resize(order, length + sizeof(DeadlineRow), sequence);
        ref var deadline = ref MemoryMarshal.Cast<byte, DeadlineRow>(row)[^1];
        var remind = catalog.DeadlineRules.Remind;
        deadline = new DeadlineRow { Due = due, RemindAt = remind == 0 || !reminds ? 0 : Math.Max(1, due - remind), Sequence = sequence, Kind = kind };
        timers.Set(KeyOf(order, in deadline));
    }

    /// <summary>Takes an order's deadline of a kind away; false when it has none.</summary>
    public unsafe bool Clear(long order, DeadlineKind kind, long sequence)
    {
        var present = Of(order);
        var at = -1;
        for (var i = 0; i < present.Length; i++)
            if (present[i].Kind == kind) at = i;
        if (at < 0) return false;
        timers.Clear(KeyOf(order, in present[at]));
        if (present.Length == 1)
        {
            Rows.Remove(order, sequence);
            return true;
        }
        var row = MemoryMarshal.Cast<byte, DeadlineRow>(Rows.Update(order, sequence));
        row[at] = row[^1];
        Rows.Resize(order, (row.Length - 1) * sizeof(DeadlineRow), sequence);
        return true;
    }

    /// <summary>True when an order has a deadline of a kind.</summary>
    public bool Has(long order, DeadlineKind kind) => IsReminder(order, kind, out var due) || due != 0;

    /// <summary>True when what is due first of an order's deadline of a kind is its reminder.</summary>
    public bool IsReminder(long order, DeadlineKind kind, out long due)
    {
        foreach (ref readonly var deadline in Of(order))
        {
            if (deadline.Kind != kind) continue;
            due = deadline.Due;
            return deadline.RemindAt != 0;
        }
        due = 0;
        return false;
    }

    /// <summary>Notes that a deadline was reminded of: next comes the deadline itself. False when it was not to be.</summary>
    public bool Remind(long order, DeadlineKind kind, long sequence)
    {
        if (!IsReminder(order, kind, out _)) return false;
        foreach (ref var deadline in MemoryMarshal.Cast<byte, DeadlineRow>(Rows.Update(order, sequence)))
        {
            if (deadline.Kind != kind) continue;
            timers.Clear(KeyOf(order, in deadline));
            deadline.RemindAt = 0;
            timers.Set(KeyOf(order, in deadline));
        }
        return true;
    }

    /// <summary>Takes away the deadlines of an order that has come to its end: nothing is expected of it any more but its money.</summary>
    public void ClearAll(long order, long sequence)
    {
        for (var i = Of(order).Length - 1; i >= 0; i--)
            if (Of(order)[i].Kind != DeadlineKind.Balance) Clear(order, Of(order)[i].Kind, sequence);
    }

    /// <summary>The first deadline of an order that has passed at <paramref name="now"/>.</summary>
    public bool TryDue(long order, long now, out TimerKey first)
    {
        first = default;
        var found = false;
        foreach (ref readonly var deadline in Of(order))
        {
            var key = KeyOf(order, in deadline);
            if (key.Due > now || found && key.CompareTo(first) >= 0) continue;
            first = key;
            found = true;
        }
        return found;
    }

    /// <summary>Puts back an order's row of a snapshot.</summary>
    public void Restore(long order, ReadOnlySpan<DeadlineRow> deadlines, long version)
    {
        Rows.Restore(order, version, MemoryMarshal.AsBytes(deadlines));
        foreach (ref readonly var deadline in deadlines) timers.Set(KeyOf(order, in deadline));
    }

    /// <summary>The timer of a deadline.</summary>
    public static TimerKey KeyOf(long order, in DeadlineRow deadline) => new(deadline.RemindAt != 0 ? deadline.RemindAt : deadline.Due, deadline.Sequence, deadline.Kind, order);
}
