// Drives the core through every command from every state that small orders can come into, breadth first, and keeps which event moved an order or a
// return from which state to which. Each path runs on SKUs and an order of its own in one core, so paths do not see each other. One thread.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.Tests.Documentation;

/// <summary>A move of an order: what happened, by which event, and through whom: a command, or 0: a timer or a queue.</summary>
internal readonly record struct OrderMove(EventKind Event, OrderState Before, OrderState After, CommandKind By);

/// <summary>A move of a return.</summary>
internal readonly record struct ReturnMove(EventKind Event, ReturnState Before, ReturnState After);

/// <summary>What the exploration has seen.</summary>
internal sealed class StateExplorer
{
    // Longer than the longest way without a repeat: review, payment, release, ship, deliver, return, complete, and some.
    private const int Depth = 9;
    private const int Price = 100;
    // A SKU that is always there, and one that never is.
    private const int Spare = 4, Missing = 3;
    private const long Window = 30 * Shop.Day;

    private readonly Shop _shop = new();
    private readonly HashSet<string> _seen = [];
    private readonly Queue<int[]> _open = new();
    private int _catalog;

    private StateExplorer()
    {
        _shop.Ok(_shop.Receive(1, (Spare, 1_000_000)));
        var limits = new ChannelLimits { ReturnWindowSeconds = Window / Shop.Second };
        // The last two want their orders confirmed; the fifth and the seventh want them reviewed.
        for (var i = 4; i <= 7; i++)
            _shop.Ok(new DefineChannel { Id = Shop.Bytes($"channel-{i}"), AllowedLocations = [1], Limits = limits with { RequiresConfirmation = i > 5 }, Role = Role.Manager });
        _shop.Ok(new SetReviewRules { Rules = [new ReviewRule("ALL"u8.ToArray(), ReviewCondition.OrderValue) { Channels = [5, 7], Amount = 1, CurrencyCode = Currency.Pack("GBP"u8) }], Role = Role.Manager });
    }

    /// <summary>Moves of orders, self-loops left out.</summary>
    public HashSet<OrderMove> Orders { get; } = [];

    /// <summary>Moves of returns, self-loops left out.</summary>
    public HashSet<ReturnMove> Returns { get; } = [];

    /// <summary>Which command was done in which state of the order, or, for those on a return, of the return.</summary>
    public HashSet<(CommandKind Command, OrderState From)> Done { get; } = [];

    /// <summary>As <see cref="Done"/>, for commands on a return.</summary>
    public HashSet<(CommandKind Command, ReturnState From)> DoneOnReturn { get; } = [];

    /// <summary>Which command was refused as illegal in which state of the order.</summary>
    public HashSet<(CommandKind Command, OrderState From)> Illegal { get; } = [];

    /// <summary>As <see cref="Illegal"/>, for commands on a return.</summary>
    public HashSet<(CommandKind Command, ReturnState From)> IllegalOnReturn { get; } = [];

    /// <summary>Paths that were walked.</summary>
    public int Paths { get; private set; }

    /// <summary>Explores.</summary>
    public static StateExplorer Run()
    {
        var explorer = new StateExplorer();
        for (var start = 0; start < Starts.Length; start++) explorer.Walk([start]);
        while (explorer._open.TryDequeue(out var path))
        {
            for (var move = 0; move < Moves.Length && path.Length < Depth; move++) explorer.Walk([.. path, move]);
        }
        return explorer;
    }

    // Two units on one line or one unit on each of two, with all, some or none of the stock, of each way to begin.
    private static readonly Func<Walker, SubmitOrder>[] Starts =
    [
        .. from channel in (int[])[4, 5]
           from terms in (PaymentTerms[])[PaymentTerms.Credit, PaymentTerms.Prepaid]
           from lines in (int[])[1, 2]
           from stock in (int[])[0, 1, 2]
           select (Func<Walker, SubmitOrder>)(walker => walker.Begin(channel, terms, AllocationPolicy.PartialBackorder, lines, stock)),
        walker => walker.Begin(4, PaymentTerms.Prepaid, AllocationPolicy.PartialCancelRest, 2, 1),
        .. from stock in (int[])[0, 1, 2] select (Func<Walker, SubmitOrder>)(walker => walker.Begin(6, PaymentTerms.Credit, AllocationPolicy.PartialBackorder, 1, stock)),
        walker => walker.Begin(6, PaymentTerms.Prepaid, AllocationPolicy.PartialBackorder, 1, 2),
        walker => walker.Begin(7, PaymentTerms.Credit, AllocationPolicy.PartialBackorder, 1, 2),
    ];

    // Every command that is asked of an order or a return, for all of it and for a part; what moves orders from outside; and time. What needs another
    // command before it that moves nothing has it with it; only the last one counts.
    private static readonly Func<Walker, Command[]>[] Moves =
    [
        w => [new ApproveOrder { Order = w.Order, Role = Role.Reviewer }],
        w => [new RejectOrder { Order = w.Order, Role = Role.Reviewer }],
        w => [w.Pay(w.Total)],
        w => [w.Pay(1)],
        w => [w.Pay(1), new RecordRefund { Order = w.Order, Amount = 1, CurrencyCode = w.Currency, Reference = w.Reference(), Role = Role.Finance }],
        w => [new CancelOrder { Order = w.Order, Role = Role.Customer }],
        w => [new CancelOrder { Order = w.Order, Lines = [new LineQuantity(1, 1)], Role = Role.Customer }],
        w => [new PlaceHold { Order = w.Order, Hold = OrderHolds.Manual, Role = Role.Reviewer }],
        w => [new PlaceHold { Order = w.Order, Hold = OrderHolds.Manual, Role = Role.Reviewer }, new ReleaseHold { Order = w.Order, Hold = OrderHolds.Manual, Role = Role.Reviewer }],
        w => [new AmendOrder(CommandKind.AmendOrder) { Order = w.Order, Fields = AmendedFields.RequestedTime, RequestedAt = w.Now + Shop.Day, Role = Role.Customer }],
        w => [w.Amend(+1)],
        w => [w.Stock(), w.Amend(+1)],
        w => [w.Amend(-1)],
        w => [w.Exchange(Spare)],
        w => [w.Exchange(Missing)],
        w => [new AddNote { Order = w.Order, Text = new SealedData(1, [1]), Role = Role.Support }],
        w => [new EraseOrder { Order = w.Order, Role = Role.Support }],
        w => [new ConfirmOrder { Order = w.Order, Role = Role.Customer }],
        w => [new OpenComplaint { Order = w.Order, Category = ComplaintCategory.Damaged, Owner = Role.Support, Text = new SealedData(1, [1]), Role = Role.Customer }],
        w => [new RecordFeedback { Order = w.Order, Rating = 4, Role = Role.Customer }],
        w => [new ReleaseShipment { Order = w.Order, Role = Role.Warehouse }],
        w => [new ReleaseShipment { Order = w.Order, Lines = [new LineMovement(1, 1, 1)], Role = Role.Warehouse }],
        w => [new RecallShipment { Order = w.Order, Role = Role.Warehouse }],
        w => [new RecallShipment { Order = w.Order, Lines = [new LineMovement(1, 1, 1)], Role = Role.Warehouse }],
        w => [new ConfirmShipment { Order = w.Order, Role = Role.Warehouse }],
        w => [new ConfirmShipment { Order = w.Order, Lines = [new LineMovement(1, 1, 1)], Role = Role.Warehouse }],
        w => [new ConfirmShipment { Order = w.Order, Short = [new ShortPick(1, 1, 1, ShortPickCause.Missing)], Role = Role.Warehouse }],
        w => [new RecordDelivery { Order = w.Order, Role = Role.Carrier }],
        w => [new RecordDelivery { Order = w.Order, Lines = [new LineQuantity(1, 1)], Role = Role.Carrier }],
        w => [new RecordLoss { Order = w.Order, Role = Role.Carrier }],
        w => [new RecordLoss { Order = w.Order, Lines = [new LineQuantity(1, 1)], Role = Role.Carrier }],
        w => [new RequestReturn { Order = w.Order, Lines = [new LineQuantity(1, 1)], Role = Role.Customer }],
        w => [new RequestReturn { Order = w.Order, Role = Role.Customer }],
        w => [new ReturnStep(CommandKind.ApproveReturn) { Return = w.Return, Role = Role.Support }],
        w => [new ReturnStep(CommandKind.RejectReturn) { Return = w.Return, Role = Role.Support }],
        w => [new CarryReturn(CommandKind.SendReturn) { Return = w.Return, Role = Role.Customer }],
        w => [w.ReceiveReturn(Disposition.Restock)],
        w => [w.ReceiveReturn(Disposition.Repair)],
        w => [new ReturnStep(CommandKind.RecordRepair) { Return = w.Return, Role = Role.Warehouse }],
        w => [new CarryReturn(CommandKind.ShipBackReturn) { Return = w.Return, Role = Role.Warehouse }],
        w => [new ReturnStep(CommandKind.CloseReturn) { Return = w.Return, Role = Role.Support }],
        w => [w.Stock()],
        w => [new AdjustStock { Location = 1, Sku = w.Sku, Adjustment = AdjustmentKind.CountedOnHand, Value = 0, Deallocate = true, Role = Role.Manager }],
        w => w.Wait(),
    ];

    private void Walk(int[] path)
    {
        Paths++;
        var walker = new Walker(this);
        Do(walker, Starts[path[0]](walker), watch: path.Length == 1);
        for (var step = 1; step < path.Length; step++)
        {
            var commands = Moves[path[step]](walker);
            foreach (var command in commands) Do(walker, command, watch: step == path.Length - 1 && command == commands[^1]);
            if (commands.Length == 0) Turn(watch: step == path.Length - 1);
        }
        // What cannot begin is refused.
        if (walker.Order != 0 && _seen.Add(walker.Describe())) _open.Enqueue(path);
        _shop.Core.Reclaim(_shop.Core.Seal().Sequence);
        _shop.Events.Truncate(0);
    }

    // A command and the turn after it, as in the engine's loop.
    private void Do(Walker walker, Command command, bool watch)
    {
        _shop.Events.Truncate(0);
        var (from, fromReturn) = (walker.Order == 0 ? OrderState.None : _shop.Head(walker.Order).State, command is RequestReturn ? ReturnState.None : walker.ReturnState());
        var outcome = _shop.Do(command).Outcome;
        if (outcome == Outcome.Ok) walker.Did(command);
        if (watch)
        {
            Watch(command.Kind);
            if (command is ReturnCommand && fromReturn != ReturnState.None)
            {
                if (outcome == Outcome.Ok) DoneOnReturn.Add((command.Kind, fromReturn));
                if (outcome == Outcome.IllegalReturnTransition) IllegalOnReturn.Add((command.Kind, fromReturn));
            }
            else if (command is IOrderCommand)
            {
                if (outcome == Outcome.Ok) Done.Add((command.Kind, from));
                if (outcome == Outcome.IllegalTransition) Illegal.Add((command.Kind, from));
            }
            if (command is ReturnCommand or RequestReturn && outcome == Outcome.Ok && LastKind() is { } kind && walker.ReturnState() != fromReturn) Returns.Add(new ReturnMove(kind, fromReturn, walker.ReturnState()));
        }
        Turn(watch);
    }

    private void Turn(bool watch)
    {
        _shop.Events.Truncate(0);
        _shop.Turn();
        if (watch) Watch(0);
    }

    private void Watch(CommandKind by)
    {
        var events = new EventEnumerator(_shop.Events.Written);
        while (events.MoveNext())
        {
            var e = new EventView(events.Current);
            if (e.Order != 0 && e.Before != e.After) Orders.Add(new OrderMove(e.Kind, e.Before, e.After, by));
        }
    }

    private EventKind? LastKind()
    {
        EventKind? kind = null;
        var events = new EventEnumerator(_shop.Events.Written);
        while (events.MoveNext())
        {
            var e = new EventView(events.Current);
            if (e.Kind is >= EventKind.ReturnRequested and <= EventKind.ReturnClosed) kind = e.Kind;
        }
        return kind;
    }

    /// <summary>One path's order, with what it is sold of.</summary>
    private sealed class Walker(StateExplorer of)
    {
        private readonly Shop _shop = of._shop;
        private int _references;
        private int _lines;

        public long Order { get; private set; }

        public int Sku { get; private set; }

        public long Now => _shop.Now;

        public long Total { get; private set; }

        public int Currency { get; } = Core.Currency.Pack("GBP"u8);

        // Its newest return; none: one that is not there.
        public long Return { get; private set; }

        public SubmitOrder Begin(int channel, PaymentTerms terms, AllocationPolicy policy, int lines, int stock)
        {
            for (var i = 0; i < lines; i++) _shop.Ok(new DefineSku { Id = Shop.Bytes($"explored-{++of._catalog}"), Role = Role.Manager });
            Sku = (int)_shop.Core.State.Catalog.Skus.Count - lines + 1;
            for (var i = 0; i < Math.Min(lines, stock); i++) _shop.Ok(_shop.Receive(1, (Sku + i, lines == 1 ? stock : 1)));
            Total = 2 * Price;
            _lines = lines;
            return new SubmitOrder
            {
                Channel = channel, ExternalId = Shop.Bytes($"explored-{of._catalog}"), Policy = policy, Terms = terms, CurrencyCode = Currency, Role = Role.Channel,
                Lines = [.. Enumerable.Range(0, lines).Select(i => new DraftLine(Sku + i, lines == 1 ? 2 : 1, Price))],
            };
        }

        public void Did(Command command)
        {
            if (command is SubmitOrder) Order = _shop.Core.Reader.LastOrder;
            if (command is RequestReturn) Return = _shop.Core.Reader.LastReturn;
        }

        public byte[] Reference() => Shop.Bytes($"r{++_references}");

        public RecordPayment Pay(long amount) => new RecordPayment { Order = Order, Amount = amount, CurrencyCode = Currency, Reference = Reference(), Role = Role.Finance };

        public AmendOrder Amend(int change) => new AmendOrder(CommandKind.AmendLines)
        {
            Order = Order, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, Order == 0 ? 1 : Math.Clamp(_shop.Line(Order).Ordered + change, 0, 2), -1)], Role = Role.Support,
        };

        // What is left of the first line for something else; at most once, so that paths end.
        public AmendOrder Exchange(int sku)
        {
            var (line, lines) = Order == 0 ? (default, 0) : (_shop.Line(Order), _shop.Head(Order).LineCount);
            AmendedLine[] instead = lines == _lines ? [new AmendedLine(0, sku, 1, Price)] : [];
            return new AmendOrder(CommandKind.AmendLines)
            {
                Order = Order, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, line.Cancelled + line.Released + line.Shipped, -1), .. instead], Role = Role.Support,
            };
        }

        public ReceiveReturn ReceiveReturn(Disposition disposition) => new ReceiveReturn { Return = Return, Location = 1, Units = [new ReturnedUnits(1, 1, disposition)], Role = Role.Warehouse };

        public ReceiveStock Stock() => new() { Location = 1, Items = [new SkuQuantity(Sku, 1)], Role = Role.Warehouse };

        // The longest wait: payment, review and the return window are over.
        public Command[] Wait()
        {
            _shop.Now += Window + Shop.Day;
            return [];
        }

        // What more than an order's units is free does not matter.
        private long Free(int sku) => _shop.Core.Reader.FirstStockSlot(sku) is not 0 and var slot && _shop.Core.Reader.Stock(slot, _shop.Core.Sequence, out var row, out _) ? Math.Min(2, row.Sellable) : 0;

        public ReturnState ReturnState() => Return == 0 ? Core.ReturnState.None : _shop.Core.Reader.Return(Return, _shop.Core.Sequence).Head.State;

        // What decides what can come next, and no more, so that paths end: how it began, what was paid and what is free count while it waits.
        public string Describe()
        {
            var order = _shop.Core.Reader.Order(Order, _shop.Core.Sequence);
            ref readonly var head = ref order.Head;
            var stored = OrderStates.IsStored(head.State);
            var text = new System.Text.StringBuilder($"{head.State} {ReturnState()} {head.Holds & OrderHolds.Confirmation}");
            if (stored) text.Append($" {head.Terms} {head.Policy} {Math.Sign(head.Paid)} {head.Paid >= Total}");
            foreach (ref readonly var line in order.Lines)
                text.Append($" | {line.Ordered} {line.Cancelled} {line.Reserved} {line.Backordered} {line.Unallocated} {line.Released} {line.Shipped} {line.Delivered} {line.Lost} {line.Returned} {line.ReturnOpen}{(stored ? $" {Free(line.Sku)}" : "")}");
            return text.ToString();
        }
    }
}
