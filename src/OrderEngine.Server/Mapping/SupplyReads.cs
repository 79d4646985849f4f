// Announced supply, for clients. Runs inside a read guard that the caller holds.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's announcements.</summary>
internal static class SupplyReads
{
    /// <summary>One announcement as it stands; null when there is none.</summary>
    public static Incoming? Read(StateReader reader, long number, long at)
    {
        var view = reader.Incoming(number, at);
        if (!view.Exists) return null;
        ref readonly var head = ref view.Head;
        return new Incoming
        {
            IncomingId = Texts.Incoming(number), SkuId = Texts.Sku(reader, head.Sku), LocationId = Texts.Location(reader, head.Location),
            FromLocationId = head.From == 0 ? "" : Texts.Location(reader, head.From), Kind = (SupplyKind)head.Kind, Announced = head.Quantity,
            Received = head.Received, Open = head.Open, ExpectedTime = Texts.Time(head.ExpectedAt), Reference = Encoding.UTF8.GetString(view.Reference),
            AnnounceTime = Texts.Time(head.AnnouncedAt), Sequence = head.Version, Etag = Texts.Etag(head.Version),
        };
    }

    /// <summary>One supply request as it stands.</summary>
    public static SupplyRequest Request(StateReader reader, long number, in SupplyRequestRow row) => new()
    {
        SupplyRequestId = Texts.SupplyRequest(number), SkuId = Texts.Sku(reader, row.Sku), LocationId = row.Location == 0 ? "" : Texts.Location(reader, row.Location),
        Kind = (SupplyKind)row.Kind, FromLocationId = row.From == 0 ? "" : Texts.Location(reader, row.From), Quantity = row.Quantity, NeededByTime = Texts.Time(row.NeededBy),
        RaiseTime = Texts.Time(row.RaisedAt), Announced = row.Announced, LastIncomingId = row.LastIncoming == 0 ? "" : Texts.Incoming(row.LastIncoming), Sequence = row.Version,
    };

    /// <summary>The answer to an announcement, a change of one or a transfer: what the event says wins over the row, which may have moved on.</summary>
    public static Incoming Answered(in CommandAnswer answer, StateReader reader, long at)
    {
        var e = new EventView(answer.Event.Span);
        var (number, open, expected) = e.Kind switch
        {
            EventKind.SupplyAnnounced => Announced(e.Body),
            EventKind.StockTransferred => Transferred(e.Body),
            _ => Changed(e.Body),
        };
        var incoming = Read(reader, number, at) ?? throw new InvalidOperationException("Answered supply that has no row.");
        (incoming.Open, incoming.ExpectedTime) = (open, Texts.Time(expected));
        (incoming.Sequence, incoming.Etag, incoming.Replayed) = (e.Sequence, Texts.Etag(e.Sequence), answer.Replayed);
        return incoming;
    }

    private static (long, int, long) Announced(ReadOnlySpan<byte> body)
    {
        var announced = Journaled.SupplyAnnounced.Parser.ParseFrom(body);
        return ((long)announced.Incoming, (int)announced.Quantity, (long)announced.ExpectedTime);
    }

    private static (long, int, long) Transferred(ReadOnlySpan<byte> body)
    {
        var transferred = Journaled.StockTransferred.Parser.ParseFrom(body);
        return ((long)transferred.Incoming, (int)transferred.Quantity, (long)transferred.ExpectedTime);
    }

    private static (long, int, long) Changed(ReadOnlySpan<byte> body)
    {
        var changed = Journaled.SupplyChanged.Parser.ParseFrom(body);
        return ((long)changed.Incoming, (int)changed.Quantity, (long)changed.ExpectedTime);
    }
}
