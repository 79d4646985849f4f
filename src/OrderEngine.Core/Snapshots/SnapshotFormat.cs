// What writer and loader of snapshots share: the field numbers of proto/orderengine/journal/snapshot.proto, sizes, counts, the exception.

namespace OrderEngine.Core.Snapshots;

/// <summary>The format of snapshots.</summary>
public static class SnapshotFormat
{
    /// <summary>The format that this engine writes and reads.</summary>
    public const int Version = 1;

    /// <summary>A block is closed when it has reached this many bytes.</summary>
    public const int BlockBytes = 256 * 1024;

    /// <summary>No block is longer: the bytes above, and one record with one more event.</summary>
    public const int MaxBlockBytes = 8 * 1024 * 1024;

    // The records' fields in SnapshotBlock.
    internal const int Number = 1, Header = 2, Catalog = 3, StockLevels = 4, Backorders = 5, Orders = 6, OrderEvents = 7, Reservations = 8, Requests = 9, Trailer = 15, Returns = 25, AfterSales = 26;
}

/// <summary>Records of each kind in a snapshot.</summary>
/// <param name="Catalog">SKUs, locations, channels and customers.</param>
/// <param name="StockLevels">Stock levels.</param>
/// <param name="Backorders">SKUs that were ever waited for.</param>
/// <param name="Orders">Orders.</param>
/// <param name="OrderEvents">Events of all orders.</param>
/// <param name="Reservations">Reservations.</param>
/// <param name="Requests">Answers kept for retries.</param>
public readonly record struct SnapshotCounts(long Catalog, long StockLevels, long Backorders, long Orders, long OrderEvents, long Reservations, long Requests)
{
    /// <summary>Returns.</summary>
    public long Returns { get; init; }

    /// <summary>Orders to which something happened after the sale.</summary>
    public long AfterSales { get; init; }
}

/// <summary>
/// A snapshot's contents do not make sense: damage that no checksum showed, a newer format, or a defect. The state it was loaded into is
/// of no use; a walk that throws it must not be kept.
/// </summary>
public sealed class SnapshotContentException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SnapshotContentException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public SnapshotContentException(string message, Exception innerException) : base(message, innerException) { }
}
