// Every bound of the engine, by name (rule 8). The wire mapping refuses what passes them; the core asserts them.

namespace OrderEngine.Core;

/// <summary>The bounds of requests, objects and work, each with its unit. What a bound protects stands beside it.</summary>
public static class Limits
{
    /// <summary>Bytes of UTF-8 in an id that the seller chooses (SKU, location, channel, customer, external order id, request id, actor).</summary>
    public const int IdBytes = 64;

    /// <summary>Lines of one order or one list of line quantities. Real invoices have over 1,000.</summary>
    public const int LinesPerOrder = 2_000;

    /// <summary>Items of one reservation or goods receipt.</summary>
    public const int ItemsPerRequest = 2_000;

    /// <summary>Entries of a release or shipment: a line may lie at several locations.</summary>
    public const int MovementsPerRequest = 4_000;

    /// <summary>Entries of line and location that one order may ever have; keeps an order's row and events within their blocks.</summary>
    public const int AllocationsPerOrder = 8_000;

    /// <summary>Parcels of one order.</summary>
    public const int ParcelsPerOrder = 10_000;

    /// <summary>Returns of one order, whatever became of them.</summary>
    public const int ReturnsPerOrder = 1_000;

    /// <summary>Entries of line and disposition in one receipt of returned goods.</summary>
    public const int ReceivedPerRequest = 4_000;

    /// <summary>Replacement lines of one exchange.</summary>
    public const int ReplacementLines = 200;

    /// <summary>Entries of line and parcel that one order may ever have; keeps an order's row within its block.</summary>
    public const int ParcelLinesPerOrder = 16_000;

    /// <summary>Units of one order line or item.</summary>
    public const int QuantityPerLine = 1_000_000;

    /// <summary>Minor units of one unit's price.</summary>
    public const long UnitPrice = 1_000_000_000_000;

    /// <summary>Minor units of one order.</summary>
    public const long OrderTotal = 1_000_000_000_000_000;

    /// <summary>Units by which one adjustment may change a stock level, up or down.</summary>
    public const long StockAdjustment = 1_000_000_000;

    /// <summary>Units of one SKU at one location.</summary>
    public const long StockLevel = 1_000_000_000_000;

    /// <summary>Announcements of supply that may be open.</summary>
    public const int OpenIncoming = 1_000_000;

    /// <summary>Orders that one count may take stock away from.</summary>
    public const int OrdersPerDeallocation = 1_000;

    /// <summary>Orders that are looked at for the ones of lowest rank, the latest first; a count that needs more of them is refused.</summary>
    public const int DeallocationLooks = 200_000;

    /// <summary>Stock levels looked at for reordering in one turn of the writer.</summary>
    public const int ReordersPerTurn = 1_000;

    /// <summary>Bytes of a reason code.</summary>
    public const int ReasonBytes = 64;

    /// <summary>Bytes of a text of the catalog (name, model, specification ...).</summary>
    public const int CatalogTextBytes = 256;

    /// <summary>Bytes of a unit of measure.</summary>
    public const int UnitBytes = 16;

    /// <summary>Bytes of a location's region.</summary>
    public const int RegionBytes = 64;

    /// <summary>Bytes of carrier, tracking number or receipt reference.</summary>
    public const int ReferenceBytes = 64;

    /// <summary>Bytes of one personal field, the note apart.</summary>
    public const int PersonalFieldBytes = 256;

    /// <summary>Bytes of a personal note.</summary>
    public const int PersonalNoteBytes = 1_024;

    /// <summary>Notes of one order. An order counts them in a byte.</summary>
    public const int NotesPerOrder = 100;

    /// <summary>Complaints of one order, whatever became of them.</summary>
    public const int ComplaintsPerOrder = 100;

    /// <summary>Best rating of an order by its customer; 1 is the worst.</summary>
    public const int Rating = 5;

    /// <summary>Attributes of one order.</summary>
    public const int Attributes = 16;

    /// <summary>Bytes of an attribute's key.</summary>
    public const int AttributeKeyBytes = 40;

    /// <summary>Bytes of an attribute's value.</summary>
    public const int AttributeValueBytes = 256;

    /// <summary>Special requests of one order.</summary>
    public const int SpecialRequests = 20;

    /// <summary>Bytes of a special request; all of an order together are bounded by <see cref="SealedBytes"/>.</summary>
    public const int SpecialRequestBytes = 512;

    /// <summary>Address lines of a person.</summary>
    public const int AddressLines = 5;

    /// <summary>Bytes of a sealed blob: the fields above, their framing, nonce and tag.</summary>
    public const int SealedBytes = 4_096;

    /// <summary>Substitutes of a SKU.</summary>
    public const int SubstitutesPerSku = 16;

    /// <summary>Seconds before its end at which a hold is reminded of: 12 hours, which a reservation's row has room for.</summary>
    public const long HoldRemindSeconds = 12L * 3600;
    /// <summary>Seconds of a SKU's lead time: three years.</summary>
    public const long LeadTimeSeconds = 3L * 366 * 24 * 3600;

    /// <summary>Locations that a channel may name as allowed.</summary>
    public const int AllowedLocationsPerChannel = 256;

    /// <summary>Highest priority number of a location.</summary>
    public const int LocationPriority = 1_000_000;

    /// <summary>Highest tier of a customer.</summary>
    public const int Tier = 9;

    /// <summary>From this tier on, a shortfall that keeps a customer waiting is graded HIGH.</summary>
    public const int HighTier = 7;

    /// <summary>Microseconds of waiting that each tier step is worth in the backorder queue: one day.</summary>
    public const long TierCreditMicros = 24L * 3600 * 1_000_000;

    /// <summary>Worst risk rating of a customer.</summary>
    public const int RiskRating = 9;

    /// <summary>Review rules of the seller. An order counts its reasons in a byte.</summary>
    public const int ReviewRules = 64;

    /// <summary>Channels that one review rule may name.</summary>
    public const int ChannelsPerReviewRule = 256;

    /// <summary>Keywords of one review rule.</summary>
    public const int KeywordsPerReviewRule = 64;

    /// <summary>Bytes of a keyword.</summary>
    public const int KeywordBytes = 64;

    /// <summary>Orders up to which a review rule may call a customer new.</summary>
    public const int NewCustomerOrders = 1_000;

    /// <summary>Seconds that an order may wait for review, payment or returns at most: a year.</summary>
    public const long WaitSeconds = 366L * 24 * 3600;

    /// <summary>How long a prepaid order waits for its money where the channel does not say, seconds: 3 days.</summary>
    public const long DefaultPaymentDueSeconds = 3 * 24 * 3600;

    /// <summary>How long an order waits for its reviewer where the channel does not say, seconds: 7 days.</summary>
    public const long DefaultReviewExpirySeconds = 7 * 24 * 3600;

    /// <summary>How long an order that ships complete waits to be filled whole before it takes what comes, where it was not set, seconds: 7 days.</summary>
    public const long DefaultEarmarkSeconds = 7 * 24 * 3600;

    /// <summary>How long an order waits for its customer's confirmation before somebody has to look into it, where the channel does not say, seconds: 3 days.</summary>
    public const long DefaultConfirmationDueSeconds = 3 * 24 * 3600;

    /// <summary>Instalments of one order.</summary>
    public const int Instalments = 24;

    /// <summary>Payments of one order, and refunds of one order: so that looking for a reference stays short, and sums stay below 2^63.</summary>
    public const int PaymentsPerOrder = 200;

    /// <summary>Days on which orders were accepted that statistics keep, of each channel and currency; the earliest are let go.</summary>
    public const int StatisticsDays = 400;

    /// <summary>Currencies that statistics tell apart, of each channel and of all; orders in further ones are counted together, without value.</summary>
    public const int StatisticsCurrencies = 16;

    /// <summary>Categories of SKUs that statistics tell apart; what belongs to further ones is counted together.</summary>
    public const int StatisticsCategories = 500;

    /// <summary>Regions of locations that statistics tell apart; likewise.</summary>
    public const int StatisticsRegions = 100;

    /// <summary>SKUs in the catalog.</summary>
    public const int Skus = 16_000_000;

    /// <summary>Locations in the catalog.</summary>
    public const int Locations = 10_000;

    /// <summary>Channels in the catalog.</summary>
    public const int Channels = 100_000;

    /// <summary>Customers.</summary>
    public const int Customers = 500_000_000;

    /// <summary>Shortest life of a reservation, microseconds.</summary>
    public const long ReservationTtlMinMicros = 1_000_000;

    /// <summary>Longest life of a reservation, microseconds.</summary>
    public const long ReservationTtlMaxMicros = 24L * 3600 * 1_000_000;

    /// <summary>Reservations that one channel may have open.</summary>
    public const int OpenReservationsPerChannel = 1_000_000;

    /// <summary>Reservations that one customer may have open.</summary>
    public const int OpenReservationsPerCustomer = 100;

    /// <summary>How long a request id is remembered, microseconds of the engine's clock.</summary>
    public const long RequestWindowMicros = 24L * 3600 * 1_000_000;

    /// <summary>How many request ids are remembered.</summary>
    public const long RequestWindowCount = 50_000_000;

    /// <summary>Bytes of an exception's detail, or of its resolution.</summary>
    public const int ExceptionTextBytes = 256;

    /// <summary>Lines of an order whose stock is fetched into the cache ahead of deciding it.</summary>
    public const int PrefetchedLines = 8;

    /// <summary>Orders that one command may archive.</summary>
    public const int ArchivedPerCommand = 256;

    /// <summary>
    /// Orders archived last whose external ids are still found in memory: a submission that asked the archive before more than so many left it has
    /// to ask again.
    /// </summary>
    public const int RecentlyArchived = 65_536;

    /// <summary>Bytes of an archived order that can be brought back: it is written to the journal whole.</summary>
    public const int RestoredBytes = 384 * 1024;

    /// <summary>Timers fired in one turn of the writer.</summary>
    public const int TimersPerTurn = 1_000;

    /// <summary>Backorder entries looked at in one turn of the writer, and before one command that wants the same SKU.</summary>
    public const int BackordersPerTurn = 1_000;

    /// <summary>Places of queues for which it is worked out in one turn when their goods will come.</summary>
    public const int PlannedPerTurn = 200;

    /// <summary>Announcements of one SKU out of which dates are promised, the earliest first.</summary>
    public const int AnnouncementsPlanned = 1_000;

    /// <summary>Shortages of one demand for which it is said when and where units can be had; the others are told by their quantities.</summary>
    public const int ShortagesExplained = 20;

    /// <summary>Places told of one shortage.</summary>
    public const int PlacesPerShortage = 8;

    /// <summary>Stock levels and announcements looked at to explain the shortages of one demand.</summary>
    public const int ShortageLooks = 20_000;

    /// <summary>Bytes of events that serving backorder queues may add to one turn, or to one command, before it stops.</summary>
    public const int BackorderBytesPerTurn = 128 * 1024;
}
