// The dates on which an order of terms INSTALMENT is to be paid, read in place from the event that accepted it. Any thread.

using OrderEngine.Core.Events;

namespace OrderEngine.Core;

/// <summary>Reads the instalments of an encoded orderengine.journal.OrderSubmitted. Times are microseconds since 1970, money in minor units.</summary>
public static class InstalmentPlan
{
    private const int InstalmentsField = 41;

    /// <summary>True when dates were agreed upon; without any the order is due like one on account.</summary>
    public static bool HasDates(ReadOnlySpan<byte> submitted)
    {
        var reader = new ProtoReader(submitted);
        return Next(ref reader, out _, out _);
    }

    /// <summary>
    /// What is due by a time, of what the order comes to. What was cancelled comes off the last instalments, what an amendment added is due with the
    /// last one; without dates all is due.
    /// </summary>
    public static long DueBy(ReadOnlySpan<byte> submitted, long at, long payable)
    {
        var reader = new ProtoReader(submitted);
        long due = 0;
        while (Next(ref reader, out var date, out var amount))
        {
            if (date > at) return Math.Min(due, payable);
            due += amount;
        }
        return payable;
    }

    /// <summary>The first date after a time at which more is due than was kept; 0: there is none.</summary>
    public static long NextUnpaid(ReadOnlySpan<byte> submitted, long after, long payable, long kept)
    {
        var reader = new ProtoReader(submitted);
        while (Next(ref reader, out var date, out _))
            if (date > after && DueBy(submitted, date, payable) > kept) return date;
        return 0;
    }

    private static bool Next(ref ProtoReader reader, out long date, out long amount)
    {
        date = amount = 0;
        while (reader.Next(out var field, out var wireType))
        {
            if (field != InstalmentsField)
            {
                reader.Skip(wireType);
                continue;
            }
            var instalment = new ProtoReader(reader.Bytes());
            while (instalment.Next(out var part, out var type))
            {
                if (part == 1) date = instalment.Long();
                else if (part == 2) amount = instalment.Long();
                else instalment.Skip(type);
            }
            return true;
        }
        return false;
    }
}
