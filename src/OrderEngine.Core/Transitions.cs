// Who may ask for what, and from which states of an order: the one place that says so. docs/ARCHITECTURE.md shows this table;
// a test holds the two together.

namespace OrderEngine.Core;

/// <summary>One row of the transition table.</summary>
/// <param name="Command">What is asked.</param>
/// <param name="Default">The role taken when the caller names none.</param>
/// <param name="Roles">The roles that may ask.</param>
/// <param name="From">The states of the order from which it may be asked; empty: it does not start from an order.</param>
public sealed record Transition(CommandKind Command, Role Default, Role[] Roles, OrderState[] From)
{
    /// <summary>The states of the return from which it may be asked; empty: it is not asked of a return.</summary>
    public ReturnState[] FromReturn { get; init; } = [];
}

/// <summary>The transition table.</summary>
public static class Transitions
{
    // Before the table, which is made of it.
    private static readonly OrderState[] NotTerminal =
    [
        OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling,
        OrderState.PartiallyShipped, OrderState.Shipped, OrderState.Delivered,
    ];

    // Money is recorded in every state.
    private static readonly OrderState[] Every = [.. Enum.GetValues<OrderState>().Where(state => state != OrderState.None)];

    private static readonly OrderState[] Amendable =
    [
        OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling,
        OrderState.PartiallyShipped,
    ];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<Transition> Table { get; } =
    [
        new(CommandKind.DefineSku, Role.Manager, [Role.Manager, Role.Support, Role.Warehouse], []),
        new(CommandKind.DefineLocation, Role.Manager, [Role.Manager, Role.Support, Role.Warehouse], []),
        new(CommandKind.DefineChannel, Role.Manager, [Role.Manager, Role.Support, Role.Warehouse], []),
        new(CommandKind.DefineCustomer, Role.Channel, [Role.Channel, Role.Support, Role.Manager], []),
        new(CommandKind.SetReviewRules, Role.Manager, [Role.Manager, Role.Reviewer], []),
        new(CommandKind.ReceiveStock, Role.Warehouse, [Role.Warehouse], []),
        new(CommandKind.AdjustStock, Role.Warehouse, [Role.Warehouse, Role.Manager], []),
        new(CommandKind.SetStockPolicy, Role.Manager, [Role.Manager, Role.Warehouse], []),
        new(CommandKind.AnnounceIncoming, Role.Warehouse, [Role.Warehouse, Role.Manager], []),
        new(CommandKind.TransferStock, Role.Warehouse, [Role.Warehouse, Role.Manager], []),
        new(CommandKind.CreateReservation, Role.Channel, [Role.Channel, Role.Support], []),
        new(CommandKind.ExtendReservation, Role.Channel, [Role.Channel, Role.Support], []),
        new(CommandKind.CommitReservation, Role.Channel, [Role.Channel, Role.Support], []),
        new(CommandKind.ReleaseReservation, Role.Channel, [Role.Channel, Role.Support], []),
        new(CommandKind.SubmitOrder, Role.Channel, [Role.Channel, Role.Support], []),
        new(CommandKind.CancelOrder, Role.Customer, [Role.Customer, Role.Support],
            [OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped,
                OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Expired]),
        new(CommandKind.ApproveOrder, Role.Reviewer, [Role.Reviewer], [OrderState.PendingReview]),
        new(CommandKind.RejectOrder, Role.Reviewer, [Role.Reviewer], [OrderState.PendingReview]),
        new(CommandKind.RecordPayment, Role.Finance, [Role.Finance], Every),
        new(CommandKind.RecordRefund, Role.Finance, [Role.Finance], Every),
        new(CommandKind.ExpireOrder, Role.System, [Role.System], [OrderState.PendingReview, OrderState.AwaitingPayment]),
        new(CommandKind.CompleteOrder, Role.System, [Role.System], [OrderState.Delivered]),
        new(CommandKind.PlaceHold, Role.Reviewer, [Role.Reviewer, Role.Support, Role.System], NotTerminal),
        new(CommandKind.ReleaseHold, Role.Reviewer, [Role.Reviewer, Role.Support, Role.System], NotTerminal),
        new(CommandKind.AmendOrder, Role.Customer, [Role.Customer, Role.Support], Amendable),
        new(CommandKind.AmendLines, Role.Support, [Role.Support], Amendable),
        new(CommandKind.ReleaseShipment, Role.Warehouse, [Role.Warehouse],
            [OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped]),
        new(CommandKind.ConfirmShipment, Role.Warehouse, [Role.Warehouse], [OrderState.Fulfilling, OrderState.PartiallyShipped]),
        new(CommandKind.RecallShipment, Role.Warehouse, [Role.Warehouse], [OrderState.Fulfilling, OrderState.PartiallyShipped]),
        new(CommandKind.RecordDelivery, Role.Carrier, [Role.Carrier], [OrderState.PartiallyShipped, OrderState.Shipped]),
        new(CommandKind.RecordLoss, Role.Carrier, [Role.Carrier], [OrderState.PartiallyShipped, OrderState.Shipped]),
        new(CommandKind.RequestReturn, Role.Customer, [Role.Customer, Role.Support, Role.Warehouse, Role.Channel],
            [OrderState.PartiallyShipped, OrderState.Shipped, OrderState.Delivered]),
        new(CommandKind.ApproveReturn, Role.Support, [Role.Support, Role.Warehouse], []) { FromReturn = [ReturnState.Requested] },
        new(CommandKind.RejectReturn, Role.Support, [Role.Support, Role.Warehouse], []) { FromReturn = [ReturnState.Requested] },
        new(CommandKind.SendReturn, Role.Customer, [Role.Customer, Role.Support, Role.Carrier, Role.Warehouse], []) { FromReturn = [ReturnState.Approved] },
        new(CommandKind.ReceiveReturn, Role.Warehouse, [Role.Warehouse], []) { FromReturn = [ReturnState.Approved, ReturnState.InTransit, ReturnState.Received] },
        new(CommandKind.RecordRepair, Role.Warehouse, [Role.Warehouse], []) { FromReturn = [ReturnState.Received] },
        new(CommandKind.ShipBackReturn, Role.Warehouse, [Role.Warehouse], []) { FromReturn = [ReturnState.Repaired] },
        new(CommandKind.CloseReturn, Role.Support, [Role.Support, Role.Warehouse], []) { FromReturn = [ReturnState.Approved, ReturnState.InTransit, ReturnState.Received, ReturnState.ShippedBack] },
        new(CommandKind.SetDeadlines, Role.Manager, [Role.Manager], []),
        new(CommandKind.ResolveException, Role.Support, [Role.Support, Role.Reviewer, Role.Finance, Role.Warehouse, Role.Carrier, Role.Manager], []),
        new(CommandKind.ArchiveOrders, Role.System, [Role.System], []),
        new(CommandKind.RestoreOrder, Role.System, [Role.System], []),
        new(CommandKind.ConfirmOrder, Role.Customer, [Role.Customer, Role.Support], NotTerminal),
        new(CommandKind.AddNote, Role.Support, [Role.Support, Role.Customer, Role.Channel, Role.Reviewer, Role.Finance, Role.Warehouse, Role.Carrier], Every),
        new(CommandKind.OpenComplaint, Role.Customer, [Role.Customer, Role.Support, Role.Channel], Every),
        new(CommandKind.AssignComplaint, Role.Support, [Role.Support, Role.Manager], []),
        new(CommandKind.ResolveComplaint, Role.Support, [Role.Support, Role.Manager], []),
        new(CommandKind.RecordFeedback, Role.Customer, [Role.Customer, Role.Support, Role.Channel], [OrderState.Delivered, OrderState.Completed]),
        new(CommandKind.EraseCustomer, Role.Manager, [Role.Manager, Role.Support], []),
        new(CommandKind.EraseOrder, Role.Manager, [Role.Manager, Role.Support], Every),
    ];

    private static readonly Transition?[] ByCommand = Index();

    /// <summary>The row of a command.</summary>
    public static Transition Of(CommandKind command) => ByCommand[(int)command] ?? throw new ArgumentOutOfRangeException(nameof(command));

    /// <summary>True when the role may ask for it.</summary>
    public static bool Allows(CommandKind command, Role role) => Array.IndexOf(Of(command).Roles, role) >= 0;

    /// <summary>True when it may be asked of an order in this state.</summary>
    public static bool Allows(CommandKind command, OrderState from) => Array.IndexOf(Of(command).From, from) >= 0;

    /// <summary>True when it may be asked of a return in this state.</summary>
    public static bool Allows(CommandKind command, ReturnState from) => Array.IndexOf(Of(command).FromReturn, from) >= 0;

    private static Transition?[] Index()
    {
        var rows = new Transition?[byte.MaxValue + 1];
        foreach (var row in Table) rows[(int)row.Command] = row;
        return rows;
    }
}
