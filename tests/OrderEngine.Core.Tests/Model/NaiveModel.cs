// A second engine, written from domain.md and the contract without looking at how the core does it: dictionaries, lists, LINQ, no index,
// no cleverness. It takes the core's commands (they are the words of the contract) and must say the same of everything. One thread.
//
// Backorder queues. domain.md asks that freed stock goes to the queue and that no new demand takes what a fillable entry ahead of it waits for;
// it leaves open when, and in which order different SKUs are served. The core does it in two places: in Turn, and just before a command that
// wants the SKU, for the places ahead of that demand. The model does it in the same two places. Before a demand it serves the whole queue
// ahead of it without asking whether there is anything to hand out: if the core ever thought that there was not, the two would differ.
// In Turn it goes through all entries of all SKUs by their places and gives each what it can have; the core looks only where stock was freed. An
// order that ships complete gets all that it waits for, or nothing. Before a demand of a SKU for which such an order waits the model goes through
// the entries of all SKUs ahead of it, else through those of the SKU. The core looks at 1,000 entries a turn; the tests keep queues far below that.

using System.Text;

namespace OrderEngine.Core.Tests.Model;

internal sealed record ModelAnswer(Outcome Outcome, bool Replayed);

internal sealed partial class NaiveModel
{
    private const long Day = 24L * 3600 * 1_000_000;
    private readonly Dictionary<UInt128, (UInt128 Digest, long Time, Outcome Outcome)> _requests = [];
    private long _now;
    private Command _command = null!;

    public readonly Dictionary<string, ModelEntry> Skus = [], Locations = [], Channels = [], Customers = [];
    public readonly Dictionary<int, string> LocationIds = [];
    public readonly Dictionary<int, int> Priorities = [];
    public readonly Dictionary<int, string> Regions = [];
    public readonly Dictionary<int, ModelChannel> Rules = [];
    public readonly Dictionary<int, DefineCustomer> Buyers = [];
    public readonly Dictionary<int, (long Key, string Ciphertext)> Details = [];
    public readonly Dictionary<(int Sku, int Location), ModelLevel> Stock = [];
    public readonly List<ModelOrder> Orders = [];
    public readonly List<ModelReservation> Reservations = [];
    public readonly List<ModelException> Exceptions = [];

    /// <summary>Number of the last event.</summary>
    public long Sequence { get; private set; }

    /// <summary>Time of the last event.</summary>
    public long Time { get; private set; }

    // What the last step changed.
    public readonly HashSet<long> TouchedOrders = [], TouchedReservations = [];
    public readonly HashSet<(int Sku, int Location)> TouchedStock = [];

    /// <summary>Times that an entry was filled while one accepted earlier went on waiting for the same SKU.</summary>
    public int Overtakings { get; private set; }

    public int Fills { get; private set; }

    public ModelAnswer Execute(Command command, long now)
    {
        BeginStep(now);
        _command = command;
        if (!RolesOf(command.Kind).Contains(command.Role)) return new ModelAnswer(Outcome.RoleNotAllowed, false);
        if (_requests.TryGetValue(command.RequestKey, out var past) && past.Time + Day > _now)
            return past.Digest == command.BodyDigest ? new ModelAnswer(past.Outcome, true) : new ModelAnswer(Outcome.RequestIdReused, false);

        Prepare(command);
        var before = Sequence;
        var outcome = Decide(command);
        if (Bound.Contains(outcome) || BoundAfterSale.Contains(outcome) || BoundInCare.Contains(outcome)) Event();
        EndStep();
        if (Sequence > before && command.RequestKey != 0) _requests[command.RequestKey] = (command.BodyDigest, _now, outcome);
        return new ModelAnswer(outcome, false);
    }

    /// <summary>Fires what is due and serves the queues that had stock freed.</summary>
    /// <param name="now">Microseconds.</param>
    public void Turn(long now)
    {
        BeginStep(now);
        do
        {
            FireAll();
            ServeAll(null);
            Reorder();
            SettleTouched();
            // A date that is promised anew may have its reminder due.
            Plan();
            SettleTouched();
        }
        while (Orders.Any(o => Passed(o).Any()));
        EndStep();
    }

    private void EndStep() => SettleTouched();

    // What an event brought about is looked at before the next one.
    private void SettleTouched()
    {
        foreach (var order in TouchedOrders)
        {
            Settle(Orders[(int)order - 1]);
            FollowWhole(Orders[(int)order - 1]);
            Forget(Orders[(int)order - 1]);
        }
        foreach (var order in TouchedOrders) NoteService(Orders[(int)order - 1]);
        foreach (var order in TouchedOrders) NoteAccount(Orders[(int)order - 1]);
    }

    private void BeginStep(long now)
    {
        _now = Math.Max(now, Time);
        TouchedOrders.Clear();
        TouchedReservations.Clear();
        TouchedReturns.Clear();
        TouchedStock.Clear();
    }

    // The services' comments, "Role" and "Allowed".
    private static Role[] RolesOf(CommandKind kind) => kind switch
    {
        CommandKind.DefineSku or CommandKind.DefineLocation or CommandKind.DefineChannel => [Role.Manager, Role.Support, Role.Warehouse],
        CommandKind.DefineCustomer => [Role.Channel, Role.Support, Role.Manager],
        CommandKind.AdjustStock or CommandKind.SetStockPolicy or CommandKind.AnnounceIncoming or CommandKind.TransferStock => [Role.Warehouse, Role.Manager],
        CommandKind.SetReviewRules => [Role.Manager, Role.Reviewer],
        CommandKind.SetDeadlines => [Role.Manager],
        CommandKind.ApproveOrder or CommandKind.RejectOrder => [Role.Reviewer],
        CommandKind.RecordPayment or CommandKind.RecordRefund => [Role.Finance],
        CommandKind.ReceiveStock or CommandKind.ReleaseShipment or CommandKind.RecallShipment or CommandKind.ConfirmShipment => [Role.Warehouse],
        CommandKind.RecordDelivery or CommandKind.RecordLoss => [Role.Carrier],
        CommandKind.CancelOrder => [Role.Customer, Role.Support],
        CommandKind.ResolveException => [Role.Support, Role.Reviewer, Role.Finance, Role.Warehouse, Role.Carrier, Role.Manager],
        _ when AfterSaleRoles(kind) is { } roles => roles,
        _ when CareRoles(kind) is { } roles => roles,
        CommandKind.AmendOrder => [Role.Customer, Role.Support],
        CommandKind.AmendLines => [Role.Support],
        CommandKind.PlaceHold or CommandKind.ReleaseHold => [Role.Reviewer, Role.Support, Role.System],
        _ => [Role.Channel, Role.Support],
    };

    // errors.proto, binds: true.
    private static readonly Outcome[] Bound =
    [
        Outcome.ExternalIdTaken, Outcome.OutOfStock, Outcome.IllegalTransition, Outcome.NotCancellable, Outcome.QuantityNotAvailable,
        Outcome.ReservationNotHeld, Outcome.ReservationMismatch, Outcome.StockBelowCommitted, Outcome.StockOverflow,
        Outcome.ChannelLimitExceeded, Outcome.PaymentReferenceTaken, Outcome.RefundExceedsPaid,
        Outcome.ReleasedToWarehouse, Outcome.IncomingClosed, Outcome.IncomingMismatch, Outcome.TransferExceeded,
        Outcome.ExceptionNotOpen, Outcome.OrderNotComplete, Outcome.SupplyRequestMismatch,
        Outcome.OrderOnHold, Outcome.PaymentOutstanding, Outcome.HoldAlreadyOpen, Outcome.HoldNotOpen, Outcome.NotAmendable, Outcome.OrderLimitReached,
    ];

    private void Prepare(Command command)
    {
        var reservation = command switch
        {
            SubmitOrder submit => submit.Reservation,
            ExtendReservation extend => extend.Reservation,
            ReleaseReservation release => release.Reservation,
            _ => 0,
        };
        while (Find(reservation) is { State: ReservationState.Held } held && held.Next <= _now) Fire(held);
        if (command is IOrderCommand { Order: > 0 } about && about.Order <= Orders.Count)
        {
            var subject = Orders[(int)about.Order - 1];
            FireOf(subject);
            if (command is RecordPayment && subject.State == OrderState.Expired)
                foreach (var line in subject.Lines.Where(l => l.Unallocated > 0)) ServeAheadOf(line.Sku, subject.Place(0));
        }
        if (command is ReturnCommand { Return: > 0 } of && of.Return <= Returns.Count) FireOf(Orders[(int)Returns[(int)of.Return - 1].Order - 1]);
        if (command is SubmitOrder order)
            foreach (var line in order.Lines) ServeAheadOf(line.Sku, order.Customer, order.RequestedAt);
        if (command is ReturnStep { Kind: CommandKind.ApproveReturn } approve && FindReturn(approve.Return) is { } exchange)
            foreach (var line in exchange.Replacements) ServeAheadOf(line.Sku, Orders[(int)exchange.Order - 1].Submitted.Customer, 0);
        if (command is CreateReservation create)
            foreach (var item in create.Items) ServeAheadOf(item.Sku, create.Customer, 0);
        if (command is AmendOrder amend) ServeAheadOf(amend);
    }

    private Outcome Decide(Command command) => command switch
    {
        DefineSku sku => Define(sku),
        DefineLocation location => Define(location),
        DefineChannel channel => Define(channel),
        DefineCustomer customer => Define(customer),
        ReceiveStock receive => Receive(receive),
        AdjustStock adjust => Adjust(adjust),
        SetStockPolicy policy => Set(policy),
        AnnounceIncoming announce => Announce(announce),
        TransferStock transfer => Transfer(transfer),
        CreateReservation create => Create(create),
        ExtendReservation extend => Extend(extend),
        ReleaseReservation release => Release(release),
        SubmitOrder submit => Submit(submit),
        CancelOrder cancel => Cancel(cancel),
        SetReviewRules set => Define(set),
        SetDeadlines set => Define(set),
        ApproveOrder approve => Approve(approve),
        RejectOrder reject => Reject(reject),
        RecordPayment payment => Record(payment),
        RecordRefund refund => Record(refund),
        AmendOrder amend => Amend(amend),
        PlaceHold hold => Place(hold),
        ResolveException resolve => Resolve(resolve),
        ReleaseHold hold => Release(hold),
        ReleaseShipment release => Release(release),
        ConfirmShipment confirm => Confirm(confirm),
        ConfirmOrder confirm => Confirm(confirm),
        AddNote note => Add(note),
        OpenComplaint open => Open(open),
        ComplaintCommand asked => OfComplaint(asked),
        RecordFeedback feedback => Record(feedback),
        EraseCustomer erase => Erase(erase),
        EraseOrder erase => Erase(erase),
        RecallShipment recall => Recall(recall),
        RecordDelivery delivery => Deliver(delivery),
        RecordLoss loss => Lose(loss),
        RequestReturn request => Request(request),
        ReturnCommand asked => OfReturn(asked),
        _ => throw new ArgumentException(command.Kind.ToString()),
    };

    private long Event()
    {
        SettleTouched();
        Time = _now;
        return ++Sequence;
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    // --- catalog: an entry is replaced whole; one that says nothing new writes nothing ---

    private Outcome Put(Dictionary<string, ModelEntry> entries, byte[] id, long expected, string content, out int number)
    {
        entries.TryGetValue(Text(id), out var entry);
        number = entry?.Number ?? entries.Count + 1;
        if (expected != 0 && expected != (entry?.Version ?? 0)) return Outcome.EtagMismatch;
        if (entry is not null && entry.Content == content) return Outcome.Ok;
        entry ??= entries[Text(id)] = new ModelEntry(number);
        entry.Content = content;
        entry.Version = Event();
        return Outcome.Ok;
    }

    private Outcome Define(DefineSku sku)
    {
        var outcome = DefineEntry(sku, out var number);
        if (outcome != Outcome.Ok) return outcome;
        _replenishment[number] = sku.Replenishment;
        _categories[number] = Text(sku.Category);
        return outcome;
    }

    private Outcome DefineEntry(DefineSku sku, out int number) => Put(Skus, sku.Id, sku.ExpectedVersion,
        string.Join('|', Text(sku.Name), Text(sku.Model), Text(sku.Specification), Text(sku.Category), Text(sku.Unit), sku.Price, sku.CurrencyCode, sku.LeadTimeSeconds, string.Join(',', sku.Substitutes), sku.Replenishment), out number);

    private Outcome Define(DefineLocation location)
    {
        var outcome = Put(Locations, location.Id, location.ExpectedVersion, string.Join('|', Text(location.Name), Text(location.Region), location.Priority), out var number);
        if (outcome != Outcome.Ok) return outcome;
        LocationIds[number] = Text(location.Id);
        Priorities[number] = location.Priority;
        _regions[number] = Text(location.Region);
        Regions[number] = Text(location.Region);
        return Outcome.Ok;
    }

    private Outcome Define(DefineChannel channel)
    {
        var outcome = Put(Channels, channel.Id, channel.ExpectedVersion,
            string.Join('|', Text(channel.Name), string.Join(',', channel.AllowedLocations), channel.Sourcing, channel.DefaultPolicy, channel.DefaultTerms, channel.DefaultShipping, channel.Limits), out var number);
        if (outcome != Outcome.Ok) return outcome;
        Rules[number] = new ModelChannel(channel.AllowedLocations, channel.Sourcing,
            channel.DefaultPolicy == AllocationPolicy.None ? AllocationPolicy.AllOrNothing : channel.DefaultPolicy,
            channel.DefaultTerms == PaymentTerms.None ? PaymentTerms.Credit : channel.DefaultTerms, channel.DefaultShipping, channel.Limits);
        return Outcome.Ok;
    }

    private Outcome Define(DefineCustomer customer)
    {
        var present = Customers.GetValueOrDefault(Text(customer.Id))?.Number ?? 0;
        var details = customer.Details.Key != 0 ? (customer.Details.Key, Convert.ToHexString(customer.Details.Ciphertext)) : Details.GetValueOrDefault(present);
        if (customer.ExpectedVersion != 0 && customer.ExpectedVersion != (Customers.GetValueOrDefault(Text(customer.Id))?.Version ?? 0)) return Outcome.EtagMismatch;
        if (MayTake(present, customer.Details) is not Outcome.Ok and var taking) return taking;
        var outcome = Put(Customers, customer.Id, customer.ExpectedVersion, $"{customer.Tier}|{details}|{customer.RiskRating}|{customer.Terms}|{customer.CreditLimit}|{customer.CreditCurrency}", out var number);
        if (outcome != Outcome.Ok) return outcome;
        Buyers[number] = customer;
        Details[number] = details;
        Took(number, customer.Details);
        return Outcome.Ok;
    }

    private int TierOf(int customer) => customer == 0 ? 0 : Buyers[customer].Tier;

    // --- stock ---

    private ModelLevel LevelOf(int sku, int location)
    {
        if (!Stock.TryGetValue((sku, location), out var level)) level = Stock[(sku, location)] = new ModelLevel();
        TouchedStock.Add((sku, location));
        level.Version = Sequence;
        return level;
    }

    private Outcome Receive(ReceiveStock receive)
    {
        if (Announced(receive) is not Outcome.Ok and var refusal) return refusal;
        var sums = receive.Items.GroupBy(item => item.Sku).Select(group => (Sku: group.Key, Units: group.Sum(item => (long)item.Quantity)));
        if (sums.Any(sum => (Stock.GetValueOrDefault((sum.Sku, receive.Location))?.OnHand ?? 0) + sum.Units > 1_000_000_000_000)) return Outcome.StockOverflow;
        Event();
        foreach (var item in receive.Items) LevelOf(item.Sku, receive.Location).OnHand += item.Quantity;
        Came(receive);
        return Outcome.Ok;
    }

    private Outcome Adjust(AdjustStock adjust)
    {
        var present = Stock.GetValueOrDefault((adjust.Sku, adjust.Location)) ?? new ModelLevel();
        var onHand = adjust.Adjustment switch
        {
            AdjustmentKind.OnHandDelta => present.OnHand + adjust.Value,
            AdjustmentKind.CountedOnHand => adjust.Value,
            _ => present.OnHand,
        };
        var unavailable = present.Unavailable + (adjust.Adjustment == AdjustmentKind.UnavailableDelta ? adjust.Value : 0);
        if (onHand > 1_000_000_000_000) return Outcome.StockOverflow;
        if (adjust.Deallocate && adjust.Role != Role.Manager) return Outcome.RoleNotAllowed;
        if (unavailable < 0) return Outcome.StockBelowCommitted;
        var missing = unavailable + present.Held + present.Committed - onHand;
        if (missing > 0 && !(adjust.Deallocate && Deallocate(adjust.Sku, adjust.Location, missing))) return Outcome.StockBelowCommitted;
        Event();
        var level = LevelOf(adjust.Sku, adjust.Location);
        level.OnHand = onHand;
        level.Unavailable = unavailable;
        return Outcome.Ok;
    }
}
