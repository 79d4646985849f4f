// What writer and loader of snapshots share: the field numbers of proto/orderengine/journal/snapshot.proto, sizes, counts, the exception.

namespace OrderEngine.Core.Snapshots;

/// <summary>The format of snapshots.</summary>
public static class SnapshotFormat
{
    /// <summary>
    /// The format that this engine writes; it reads every earlier one. Fields that came later are absent there. It grows with the first change of a
    /// row's layout after a release: the state hash covers rows as they lie in memory, so a hash of an earlier format cannot be compared.
    /// </summary>
    public const int Version = 2;

    /// <summary>A block is closed when it has reached this many bytes.</summary>
    public const int BlockBytes = 256 * 1024;

    /// <summary>No block is longer: the bytes above, and one record with one more event.</summary>
    public const int MaxBlockBytes = 8 * 1024 * 1024;

    // The records' fields in SnapshotBlock.
    internal const int Number = 1, Header = 2, Catalog = 3, StockLevels = 4, Backorders = 5, Orders = 6, OrderEvents = 7, Reservations = 8, Requests = 9, Incoming = 20, Returns = 25, AfterSales = 26, Deadlines = 30, Exceptions = 31, Promises = 45, SupplyRequests = 46, Trailer = 15,
        Complaints = 50, Care = 51, Erasures = 52, AddedUnits = 56;

    // Statistics. They are under a hash of their own, in the trailer, which stands for their counts as well.
    internal const int StatisticNames = 40, StatisticSeries = 41, StatisticGroups = 42, StatisticService = 43;

    // Kinds of groups.
    internal const int Categories = 1, Regions = 2;

    // Of the trailer alone.
    internal const int Archived = 38, ArchivePosition = 39, StatisticsHash = 44;
}

/// <summary>Records of each kind in a snapshot.</summary>
/// <param name="Catalog">SKUs, locations, channels and customers.</param>
/// <param name="StockLevels">Stock levels.</param>
/// <param name="Backorders">SKUs that were ever waited for.</param>
/// <param name="Orders">Orders.</param>
/// <param name="OrderEvents">Events of all orders.</param>
/// <param name="Reservations">Reservations.</param>
/// <param name="Requests">Answers kept for retries.</param>
/// <param name="Returns">Returns.</param>
/// <param name="AfterSales">Orders to which something happened after the sale.</param>
/// <param name="Deadlines">Orders that have deadlines.</param>
/// <param name="Exceptions">Exceptions.</param>
/// <param name="Incoming">Announcements of supply.</param>
/// <param name="Promises">Orders with promised dates.</param>
/// <param name="SupplyRequests">Requests for supply.</param>
/// <param name="Complaints">Complaints.</param>
/// <param name="Care">Orders with complaints or feedback.</param>
/// <param name="Erasures">Keys that were destroyed.</param>
/// <param name="AddedUnits">Orders of which added units wait.</param>
public readonly record struct SnapshotCounts(long Catalog, long StockLevels, long Backorders, long Orders, long OrderEvents, long Reservations, long Requests,
    long Returns, long AfterSales, long Deadlines, long Exceptions, long Incoming, long Promises, long SupplyRequests,
    long Complaints, long Care, long Erasures, long AddedUnits);

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
