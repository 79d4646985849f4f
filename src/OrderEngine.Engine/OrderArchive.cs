// The archive as the engine's callers meet it: which external ids are taken, which orders have to come back before a command is queued. Any thread but the
// writer's: it may read from the disk.

using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal sealed class OrderArchive(ArchiveStore store, ReadView view) : IArchivedOrders
{
    private KeyedHash? _hash;

    /// <inheritdoc/>
    public long End => store.End;

    /// <summary>Opens the files, once the journal is open; before anybody asks.</summary>
    /// <exception cref="JournalException">They do not reach as far as the journal relies on them, or are damaged.</exception>
    public void Open(long position)
    {
        store.Open(position);
        _hash = new KeyedHash(store.Secret.Span);
    }

    /// <inheritdoc/>
    public byte[]? Read(long order) => store.Read(order);

    /// <inheritdoc/>
    public byte[]? Read(long order, long before) => store.Read(order, before);

    /// <inheritdoc/>
    public IReadOnlyList<long> Find(int channel, ReadOnlySpan<byte> externalId) => End == 0 ? [] : store.Find(KeyOf(channel, externalId));

    /// <summary>What an external id is found by; 0 when there is none.</summary>
    public ulong KeyOf(int channel, ReadOnlySpan<byte> externalId) => externalId.IsEmpty ? 0 : Math.Max(1, _hash!.Of(externalId, channel));

    /// <summary>Tells a submission whether its external id is an archived order's. Nearly always a few nanoseconds.</summary>
    /// <exception cref="JournalException">The archive cannot tell: it is damaged there.</exception>
    public void Ask(SubmitOrder submit)
    {
        var reader = view.Reader;
        submit.ArchiveAsked = reader.ArchivedTotal;
        if (End != 0 && store.MayHave(KeyOf(submit.Channel, submit.ExternalId))) submit.TakenByArchived = reader.FindArchived(submit.Channel, submit.ExternalId);
    }

    /// <summary>The order that a command is about and that is not in memory; 0: none.</summary>
    public long Missing(Command command)
    {
        if (End == 0 || command is not IOrderCommand { Order: var order } || order < 1 || order > view.Reader.LastOrder) return 0;
        using var guard = view.Reader.Enter();
        return view.Reader.LiveOrder(order, view.DurableSequence).Exists ? 0 : order;
    }
}
