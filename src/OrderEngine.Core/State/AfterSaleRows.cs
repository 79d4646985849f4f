// The layouts of what comes after the sale; rules as in Rows.cs. Orders to which nothing of this happened have no row here.
//
//   return row      | ReturnHead (88) | ReturnLineRow (24) x LineCount | ReplacementRow (16) x ReplacementCount | external id |
//   after-sale row  | AfterSaleRow (40), by the order's number |

using System.Runtime.InteropServices;

namespace OrderEngine.Core.State;

/// <summary>The head of a return's row.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ReturnHead
{
    /// <summary>Number of the order.</summary>
    public long Order;
    /// <summary>Microseconds since 1970.</summary>
    public long RequestedAt;
    /// <summary>Sequence of its first event.</summary>
    public long RequestedSequence;
    /// <summary>Time of its last event.</summary>
    public long ChangedAt;
    /// <summary>Sequence of its last event: its version.</summary>
    public long Version;
    /// <summary>The order made in exchange; 0: none.</summary>
    public long Replacement;
    /// <summary>The return of the same order before it; 0: none.</summary>
    public long Previous;
    /// <summary>Minor units due to the customer for what came back.</summary>
    public long Refund;
    /// <summary>Rows that follow.</summary>
    public int LineCount;
    /// <summary>Rows that follow the lines: not 0 for an exchange.</summary>
    public int ReplacementCount;
    /// <summary>Number of the location where something of it arrived last; 0: nowhere.</summary>
    public int Location;
    /// <summary>Bytes that follow the replacements.</summary>
    public int ExternalIdLength;
    /// <summary>Where it stands.</summary>
    public ReturnState State;
    /// <summary>1: its replacement came to nothing, so that what comes back is credited.</summary>
    public byte Credited;
    /// <summary>Zero.</summary>
    public ushort Unused2;
    /// <summary>Zero.</summary>
    public int Unused3;

    /// <summary>True while it may still bring units back.</summary>
    public readonly bool IsOpen => State is not (ReturnState.Closed or ReturnState.Rejected);

    /// <summary>True when other goods make up for what comes back.</summary>
    public readonly bool IsExchange => ReplacementCount > 0 && Credited == 0;
}

/// <summary>Units of an order's line in a return. Requested is at least the sum of the others.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct ReturnLineRow
{
    /// <summary>1-based line of the order.</summary>
    public int Line;
    /// <summary>Units that may come back.</summary>
    public int Requested;
    /// <summary>Came back, on hand.</summary>
    public int Restocked;
    /// <summary>Came back, on hand and unavailable.</summary>
    public int Quarantined;
    /// <summary>Came back, thrown away.</summary>
    public int Scrapped;
    /// <summary>Came back to be repaired; they stay the customer's.</summary>
    public int Repaired;

    /// <summary>Units that came back for good.</summary>
    public readonly int Returned => Restocked + Quarantined + Scrapped;

    /// <summary>Units that may still come.</summary>
    public readonly int Expected => Requested - Returned - Repaired;
}

/// <summary>What is sent in exchange.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ReplacementRow
{
    /// <summary>Minor units a unit.</summary>
    public long UnitPrice;
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Units.</summary>
    public int Quantity;
}

/// <summary>What an order has after the sale.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct AfterSaleRow
{
    /// <summary>Its newest return; 0: none.</summary>
    public long LastReturn;
    /// <summary>Minor units due to the customer for what came back, over all its returns.</summary>
    public long Refund;
    /// <summary>The return that this order was made for; 0: none.</summary>
    public long ForReturn;
    /// <summary>Returns, whatever became of them.</summary>
    public int Returns;
    /// <summary>Of them open.</summary>
    public int OpenReturns;
}

/// <summary>A return's row, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct ReturnView
{
    private readonly ReadOnlySpan<byte> _row;

    internal ReturnView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is no such return at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly ReturnHead Head => ref MemoryMarshal.AsRef<ReturnHead>(_row);

    /// <summary>Its lines, by the order's lines.</summary>
    public unsafe ReadOnlySpan<ReturnLineRow> Lines =>
        MemoryMarshal.Cast<byte, ReturnLineRow>(_row.Slice(sizeof(ReturnHead), Head.LineCount * sizeof(ReturnLineRow)));

    /// <summary>What is sent in exchange.</summary>
    public unsafe ReadOnlySpan<ReplacementRow> Replacements =>
        MemoryMarshal.Cast<byte, ReplacementRow>(_row.Slice(sizeof(ReturnHead) + Head.LineCount * sizeof(ReturnLineRow), Head.ReplacementCount * sizeof(ReplacementRow)));

    /// <summary>The caller's own id; may be empty.</summary>
    public ReadOnlySpan<byte> ExternalId => _row[^Head.ExternalIdLength..];

    internal static unsafe int RowBytes(in ReturnHead head) =>
        sizeof(ReturnHead) + head.LineCount * sizeof(ReturnLineRow) + head.ReplacementCount * sizeof(ReplacementRow) + head.ExternalIdLength;
}
