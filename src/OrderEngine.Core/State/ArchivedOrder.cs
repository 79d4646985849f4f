// An order as the archive has it. Read only; any thread.

using System.Runtime.InteropServices;

namespace OrderEngine.Core.State;

/// <summary>Where archived orders are found again. Any thread; implementations may read from a disk.</summary>
public interface IArchivedOrders
{
    /// <summary>Grows with every record: what was read before may have changed since.</summary>
    long End { get; }

    /// <summary>The newest record of an order (<see cref="Snapshots.ArchiveEncoder"/>); null when there is none.</summary>
    byte[]? Read(long order);

    /// <summary>As <see cref="Read(long)"/>, of those in front of a place that an OrderArchived names: as the order was archived by then.</summary>
    byte[]? Read(long order, long before);

    /// <summary>Orders that may have this external id: their records tell.</summary>
    IReadOnlyList<long> Find(int channel, ReadOnlySpan<byte> externalId);
}

/// <summary>An order decoded from its record.</summary>
internal sealed class ArchivedOrder
{
    /// <summary>Its number.</summary>
    public long Number { get; set; }

    /// <summary>Its row.</summary>
    public byte[] Row { get; set; } = [];

    /// <summary>Its history, oldest first.</summary>
    public List<(long Sequence, byte[] Bytes)> Events { get; } = [];

    /// <summary>Its external id.</summary>
    public byte[] ExternalId { get; set; } = [];

    /// <summary>The head of its row.</summary>
    public ref readonly OrderHead Head => ref MemoryMarshal.AsRef<OrderHead>(Row);
}
