// Which order carries which external id: unique per channel for ever. The writer adds; any thread finds.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>(channel, external order id) to order number. A block in the heap holds channel, length and text of each id.</summary>
internal sealed class ExternalIdIndex(RowHeap heap, KeyedHash hash)
{
    private const int Prefix = 8;
    private readonly HashIndex _index = new();
    private readonly ChunkedArray<long> _addresses = new();

    /// <summary>Wrapping sum of the entries' hashes.</summary>
    public ulong Hash { get; private set; }

    /// <summary>Binds an id to an order. Writer only.</summary>
    public void Add(int channel, ReadOnlySpan<byte> externalId, long order)
    {
        var address = heap.Allocate(Prefix + externalId.Length);
        var block = heap.At(address, Prefix + externalId.Length);
        BinaryPrimitives.WriteInt32LittleEndian(block, channel);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], externalId.Length);
        externalId.CopyTo(block[Prefix..]);
        _addresses.Ensure(order);
        Volatile.Write(ref _addresses[order], address);
        _index.Add(hash.Of(externalId, channel), order);
        Hash += EntryHash(channel, externalId, order);
    }

    /// <summary>An order has been archived: its entry stays for a while, but is no part of the state. Writer only.</summary>
    public void Exclude(long order) => Hash -= EntryHash(ChannelOf(order), Text(order), order);

    /// <summary>An archived order is back. Writer only.</summary>
    public void Include(int channel, ReadOnlySpan<byte> externalId, long order)
    {
        if (Text(order).IsEmpty) Add(channel, externalId, order);
        else Hash += EntryHash(channel, externalId, order);
    }

    /// <summary>Forgets an excluded entry; false when there is none. Writer only.</summary>
    public bool Unlink(long order, Reclaimer reclaimer, long sequence)
    {
        var address = _addresses[order];
        if (address == 0) return false;
        var text = Text(order);
        _index.Remove(hash.Of(text, ChannelOf(order)), order);
        Volatile.Write(ref _addresses[order], 0);
        reclaimer.Retire(address, Prefix + text.Length, sequence);
        return true;
    }

    /// <summary>As <see cref="VersionedRows.Release"/>.</summary>
    public void Release(long order) => _addresses.Release(order);

    /// <summary>As <see cref="VersionedRows.Revive"/>.</summary>
    public void Revive(long order) => _addresses.Revive(order);

    /// <summary>What an entry adds to <see cref="Hash"/>. Any thread.</summary>
    public static ulong EntryHash(int channel, ReadOnlySpan<byte> externalId, long order) => StableHash.Mix(StableHash.Of(externalId, (ulong)channel), (ulong)order);

    /// <summary>The order with this id; 0 when there is none.</summary>
    [SkipLocalsInit] // only the candidates found are looked at
    public long Find(int channel, ReadOnlySpan<byte> externalId)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var count = _index.Find(hash.Of(externalId, channel), candidates);
        foreach (var order in candidates[..count])
        {
            if (_addresses.TryRead(order, out var address) && address != 0
                && BinaryPrimitives.ReadInt32LittleEndian(heap.At(address, Prefix)) == channel && Text(order).SequenceEqual(externalId)) return order;
        }
        return 0;
    }

    /// <summary>As <see cref="HashIndex.Prefetch"/>. Writer only.</summary>
    public void Prefetch(int channel, ReadOnlySpan<byte> externalId) => _index.Prefetch(hash.Of(externalId, channel));

    /// <summary>The external id of an order; empty when there is no such order.</summary>
    public ReadOnlySpan<byte> Text(long order)
    {
        if (!_addresses.TryRead(order, out var address) || address == 0) return default;
        var length = BinaryPrimitives.ReadInt32LittleEndian(heap.At(address, Prefix)[4..]);
        return heap.At(address, Prefix + length)[Prefix..];
    }

    private int ChannelOf(long order) => BinaryPrimitives.ReadInt32LittleEndian(heap.At(_addresses[order], Prefix));
}
