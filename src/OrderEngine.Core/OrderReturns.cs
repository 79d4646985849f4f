// What of an order's goods came back, derived from its lines and returns: an axis of its own beside the order's state.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core;

/// <summary>The derivation of an order's return state.</summary>
public static class OrderReturns
{
    internal const int ExchangedField = 296;

    /// <summary>True when a ReturnReceived says that other goods made up for its units, repairs aside.</summary>
    internal static bool AreExchanged(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == ExchangedField) return reader.Varint() != 0;
            reader.Skip(wireType);
        }
        return false;
    }

    /// <summary>Adds to each line's count what a ReturnReceived says came of it for good, if it is of this return.</summary>
    internal static void CountForGood(ReadOnlySpan<byte> body, long number, Span<int> counts)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            // The return stands ahead of its units.
            if (field == 1 && reader.Long() != number) return;
            if (field == 3)
            {
                ProtoReader.ReadThree(reader.Bytes(), out var line, out var quantity, out var disposition);
                if ((Disposition)disposition != Disposition.Repair) counts[line - 1] += quantity;
            }
            else if (field != 1) reader.Skip(wireType);
        }
    }

    /// <summary>The first match counts: no returns, one open, everything that can be back is back, something is, nothing is.</summary>
    public static OrderReturnState Derive(in AfterSaleRow row, ReadOnlySpan<LineRow> lines)
    {
        if (row.Returns == 0) return OrderReturnState.None;
        if (row.OpenReturns > 0) return OrderReturnState.Open;
        long returned = 0, returnable = 0;
        foreach (ref readonly var line in lines)
        {
            returned += line.Returned;
            returnable += line.Shipped - line.Lost;
        }
        if (returned == 0) return OrderReturnState.None;
        return returned == returnable ? OrderReturnState.Returned : OrderReturnState.PartlyReturned;
    }
}
