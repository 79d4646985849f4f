// The one place that says which scope opens which rpc. What does not stand here is closed to everyone who needs a credential; a test
// holds the table to the contract. Immutable; any thread.

using System.Collections.Frozen;
using OrderEngine.Access;

namespace OrderEngine.Server.Access;

/// <summary>One row.</summary>
/// <param name="Service">The service, without its package.</param>
/// <param name="Method">The rpc.</param>
/// <param name="Scopes">Any one of these opens it.</param>
/// <param name="Bound">True: also for a credential that is bound to a channel, because the rpc shows and moves only that channel's own.</param>
internal sealed record RpcRule(string Service, string Method, Scopes Scopes, bool Bound)
{
    /// <summary>The path of its calls.</summary>
    public string Path { get; } = $"{RpcTable.Prefix}{Service}/{Method}";

    /// <summary>True: it answers with a page of many entries, which costs far more time and memory than a single one.</summary>
    public bool IsList { get; } = Method.StartsWith("List", StringComparison.Ordinal) || Method is "BatchGetStock" or "GetStats" or "GetStatement";

    /// <summary>True: new business or a read, which are refused when more is asked than can be done. What finishes something that was begun, and the operator, are not.</summary>
    public bool CanBeTurnedAway { get; } = Service != "AdminService"
        && (Reads.Any(verb => Method.StartsWith(verb, StringComparison.Ordinal)) || Method is "SubmitOrder" or "BulkSubmitOrders" or "CreateReservation");

    private static readonly string[] Reads = ["Get", "List", "Lookup", "Track", "BatchGet", "Check"];

    /// <summary>Its place in the table.</summary>
    public int Index { get; init; }
}

/// <summary>Scope x rpc.</summary>
internal static class RpcTable
{
    /// <summary>How the paths of the contract's rpcs begin.</summary>
    public const string Prefix = "/orderengine.v1.";

    private const Scopes Readers = Scopes.Track | Scopes.Fulfil | Scopes.Finance | Scopes.Review | Scopes.Admin;
    private const Scopes Shoppers = Scopes.Submit | Scopes.Reserve | Readers | Scopes.Stock;

    private static readonly FrozenDictionary<string, RpcRule> ByPath = Rows().Select((row, index) => row with { Index = index }).ToFrozenDictionary(row => row.Path);

    /// <summary>All rows.</summary>
    public static IReadOnlyCollection<RpcRule> All => ByPath.Values;

    /// <summary>The row of a path; null: there is none, and the rpc is closed.</summary>
    public static RpcRule? Find(string path) => ByPath.GetValueOrDefault(path);

    private static IEnumerable<RpcRule> Rows() =>
    [
        .. Service("OrderService",
            ("SubmitOrder", Scopes.Submit | Scopes.Admin, true), ("BulkSubmitOrders", Scopes.Submit | Scopes.Admin, true),
            ("StreamSubmitOrders", Scopes.Submit | Scopes.Admin, true), ("CheckFulfillability", Scopes.Submit | Scopes.Admin, true),
            ("GetOrder", Readers, true), ("LookupOrder", Readers | Scopes.Submit, true), ("ListOrders", Readers, true), ("ListOrderEvents", Readers, true),
            ("ExportOrders", Scopes.Track | Scopes.Finance | Scopes.Admin, true),
            ("AmendOrder", Scopes.Submit | Scopes.Review | Scopes.Admin, true), ("CancelOrder", Scopes.Submit | Scopes.Review | Scopes.Admin, true),
            ("ConfirmOrder", Scopes.Submit | Scopes.Review | Scopes.Admin, true),
            ("ApproveOrder", Scopes.Review, true), ("RejectOrder", Scopes.Review, true), ("PlaceHold", Scopes.Review | Scopes.Admin, true),
            ("ReleaseHold", Scopes.Review | Scopes.Admin, true),
            ("AddNote", Scopes.Submit | Scopes.Fulfil | Scopes.Finance | Scopes.Review | Scopes.Admin, true),
            ("RecordPayment", Scopes.Finance, true), ("RecordRefund", Scopes.Finance, true), ("GetSettlement", Scopes.Finance | Scopes.Admin, false)),
        .. Service("InventoryService",
            ("CreateReservation", Scopes.Reserve | Scopes.Admin, true), ("ExtendReservation", Scopes.Reserve | Scopes.Admin, true),
            ("CommitReservation", Scopes.Reserve | Scopes.Admin, true), ("ReleaseReservation", Scopes.Reserve | Scopes.Admin, true),
            ("GetReservation", Scopes.Reserve | Scopes.Track | Scopes.Admin, true),
            ("ReceiveStock", Scopes.Stock, false), ("AdjustStock", Scopes.Stock | Scopes.Admin, false), ("TransferStock", Scopes.Stock | Scopes.Admin, false),
            ("AnnounceIncoming", Scopes.Stock, false), ("SetStockPolicy", Scopes.Stock | Scopes.Admin, false), ("ListIncoming", Shoppers, true),
            ("ListSupplyRequests", Scopes.Stock | Scopes.Admin, false),
            ("GetStock", Shoppers, true), ("BatchGetStock", Shoppers, true), ("ListStock", Shoppers, true), ("WatchStock", Shoppers, true)),
        .. Service("FulfillmentService",
            ("ReleaseShipment", Scopes.Fulfil, true), ("ConfirmShipment", Scopes.Fulfil, true), ("RecallShipment", Scopes.Fulfil, true),
            ("RecordDelivery", Scopes.Fulfil, true), ("RecordLoss", Scopes.Fulfil, true), ("StreamStatusReports", Scopes.Fulfil, true)),
        .. Service("ReturnService",
            ("RequestReturn", Scopes.Submit | Scopes.Review | Scopes.Admin, true), ("ApproveReturn", Scopes.Review | Scopes.Admin, true),
            ("RejectReturn", Scopes.Review | Scopes.Fulfil | Scopes.Admin, true), ("SendReturn", Scopes.Submit | Scopes.Fulfil | Scopes.Review | Scopes.Admin, true),
            ("ReceiveReturn", Scopes.Fulfil, true), ("RecordRepair", Scopes.Fulfil, true), ("ShipBackReturn", Scopes.Fulfil, true),
            ("GetReturn", Readers | Scopes.Submit, true), ("ListReturns", Readers | Scopes.Submit, true),
            ("CloseReturn", Scopes.Fulfil | Scopes.Review | Scopes.Admin, true)),
        .. Service("TrackingService", ("TrackOrder", Readers | Scopes.Submit, true), ("WatchOrders", Readers, true)),
        .. Service("CustomerService",
            ("UpsertCustomer", Scopes.Submit | Scopes.Admin, true), ("GetCustomer", Readers | Scopes.Submit, true), ("EraseCustomer", Scopes.Admin, false), ("EraseOrder", Scopes.Admin, false),
            ("GetStatement", Scopes.Finance | Scopes.Admin, false),
            ("RecordFeedback", Scopes.Submit | Scopes.Review | Scopes.Admin, true), ("OpenComplaint", Scopes.Submit | Scopes.Review | Scopes.Admin, true),
            ("AssignComplaint", Scopes.Review | Scopes.Admin, true), ("ResolveComplaint", Scopes.Review | Scopes.Admin, true),
            ("GetComplaint", Scopes.Submit | Scopes.Review | Scopes.Admin, true), ("ListComplaints", Scopes.Review | Scopes.Admin, false)),
        .. Service("CatalogService",
            ("UpsertSku", Scopes.Stock | Scopes.Admin, false), ("GetSku", Shoppers, true), ("ListSkus", Shoppers, true),
            ("UpsertLocation", Scopes.Stock | Scopes.Admin, false), ("GetLocation", Shoppers, true), ("ListLocations", Shoppers, true),
            ("UpsertChannel", Scopes.Admin, false), ("GetChannel", Shoppers, true), ("ListChannels", Shoppers, false),
            ("SetReviewRules", Scopes.Admin, false), ("GetReviewRules", Scopes.Review | Scopes.Admin, false),
            ("SetDeadlines", Scopes.Admin, false), ("GetDeadlines", Scopes.Fulfil | Scopes.Review | Scopes.Admin, false)),
        .. Service("AdminService",
            ("GetEngineStatus", Scopes.Admin, false), ("VerifyInvariants", Scopes.Admin, false), ("CreateCheckpoint", Scopes.Admin, false), ("SetLogLevel", Scopes.Admin, false),
            ("ExportEvents", Scopes.Admin, false), ("ImportEvents", Scopes.Admin, false), ("CreateBackup", Scopes.Admin, false), ("ExportKeys", Scopes.Admin, false),
            ("GetStats", Scopes.Admin | Scopes.Finance, false),
            ("ListExceptions", Scopes.Admin | Scopes.Review | Scopes.Finance | Scopes.Stock | Scopes.Fulfil, false),
            ("ResolveException", Scopes.Admin | Scopes.Review | Scopes.Finance | Scopes.Stock | Scopes.Fulfil, false)),
    ];

    private static IEnumerable<RpcRule> Service(string name, params (string Method, Scopes Scopes, bool Bound)[] rpcs) =>
        rpcs.Select(rpc => new RpcRule(name, rpc.Method, rpc.Scopes, rpc.Bound));
}
