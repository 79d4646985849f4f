// Proves: closed orders leave memory and stay readable as they were; their external ids stay taken; what must stay stays; an archived order comes back
// with its history; replay, snapshots and readers at earlier sequences agree; and memory stays flat over a year.

using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

// Alone: one of them counts the memory of the process.
[CollectionDefinition(nameof(ArchiveTests), DisableParallelization = true)]
[Collection(nameof(ArchiveTests))]
public sealed class ArchiveTests
{
    private const long Window = 30 * Shop.Day;
    private readonly Shop _shop = new();
    private readonly FakeArchive _archive = new();

    public ArchiveTests()
    {
        _shop.Core.Reader.Archive = _archive;
        _shop.Ok(_shop.Receive(1, (1, 1_000_000)));
    }

    [Fact]
    public void A_closed_order_leaves_memory_and_is_read_as_before()
    {
        var order = Delivered("one");
        var open = Submit("two");
        Later(Window);
        var before = Picture(order);
        var hash = Seal().StateHash;
        Archive(order, open);
        var after = Seal();
        Assert.False(_shop.Core.Reader.LiveOrder(order, after.Sequence).Exists);
        Assert.True(_shop.Core.Reader.LiveOrder(open, after.Sequence).Exists);
        Assert.Equal((1, 2), (after.Archived, after.Orders));
        Assert.NotEqual(hash, after.StateHash);
        Assert.Equivalent(before, Picture(order), strict: true);
        Forget();
        Assert.Equivalent(before, Picture(order), strict: true);
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void What_is_young_or_changed_or_answers_retries_stays()
    {
        var young = Delivered("young");
        Later(Window - Shop.Second);
        Archive(young);
        Assert.True(Exists(young));

        var changed = Delivered("changed");
        Later(Window);
        Assert.Equal(Outcome.Ok, ArchiveAs(changed, _shop.Head(changed).Version - 1).Outcome);
        Assert.True(Exists(changed));

        // Its answers leave the table only while others come.
        var answering = Delivered("answering");
        _shop.Now += Window;
        Archive(answering);
        Assert.True(Exists(answering));
        Later(Shop.Second);
        Archive(young, changed, answering);
        Assert.False(Exists(young) || Exists(changed) || Exists(answering));
    }

    [Fact]
    public void An_external_id_stays_taken()
    {
        var order = Delivered("taken");
        Later(Window);
        Archive(order);
        // Recent ones are known to the writer itself: the archive was asked before it left.
        Assert.Equal(Outcome.ExternalIdTaken, _shop.Do(Draft("taken")).Outcome);
        Forget();
        Assert.Equal(order, _shop.Core.Reader.FindOrder(1, Shop.Bytes("taken")));
        Assert.Equal(0, _shop.Core.Reader.FindArchived(2, Shop.Bytes("taken")));
        Assert.Equal(0, _shop.Core.Reader.FindArchived(1, Shop.Bytes("taken2")));
        var asked = Draft("taken");
        asked.ArchiveAsked = _shop.Core.Reader.ArchivedTotal;
        asked.TakenByArchived = _shop.Core.Reader.FindArchived(1, asked.ExternalId);
        var refused = _shop.Do(asked);
        Assert.Equal(Outcome.ExternalIdTaken, refused.Outcome);
        Assert.Equal(order, (long)Contracts.Journal.Event.Parser.ParseFrom(_shop.Events.Written.Slice(refused.Offset, refused.Length)).RequestRefused.Object);
    }

    [Fact]
    public void A_submission_that_asked_too_long_ago_has_to_ask_again()
    {
        var asked = Draft("new");
        asked.ArchiveAsked = _shop.Core.Reader.ArchivedTotal - Limits.RecentlyArchived;
        Assert.Equal(Outcome.Ok, _shop.Do(asked).Outcome);
        var order = Delivered("one");
        Later(Window);
        Archive(order);
        Assert.Equal(Outcome.QueueFull, _shop.Do(Again(asked)).Outcome);

        SubmitOrder Again(SubmitOrder first) => Draft("newer") is var draft && (draft.ArchiveAsked = first.ArchiveAsked) <= 0 ? draft : throw new InvalidOperationException();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_archived_order_comes_back_with_its_history(bool forgotten)
    {
        var order = Delivered("back");
        Later(Window);
        var events = Picture(order).Events;
        var counted = Seal().StatisticsHash;
        Archive(order);
        if (forgotten) Forget();
        _shop.Ok(new RestoreOrder { Role = Role.System, Order = order, Record = _archive.Read(order)! });
        var row = _shop.Core.Reader.LiveOrder(order, _shop.Core.Sequence);
        Assert.Equal((OrderState.Delivered, _shop.Core.Sequence), (row.Head.State, row.Head.Version));
        var now = Picture(order);
        Assert.Equal(events.Count + 1, now.Events.Count);
        Assert.Equal(events, now.Events.Take(events.Count));
        Assert.Equal(EventKind.OrderRestored, new EventView(Convert.FromHexString(now.Events[^1])).Kind);
        var back = Seal();
        // It was counted when it was accepted, once and for all.
        Assert.Equal((0, counted), (back.Archived, back.StatisticsHash));
        // A second time changes nothing.
        var sequence = _shop.Core.Sequence;
        _shop.Ok(new RestoreOrder { Role = Role.System, Order = order, Record = _archive.Read(order)! });
        Assert.Equal(sequence, _shop.Core.Sequence);
        Assert.Equal(Outcome.ExternalIdTaken, _shop.Do(Draft("back")).Outcome);
        Same();

        Later(Window);
        Archive(order);
        Assert.False(Exists(order));
        Assert.Equal(now.Events, Picture(order).Events);
        Forget();
        Assert.Equal(now.Events, Picture(order).Events);
        Same();
    }

    [Fact]
    public void An_order_that_never_was_or_is_too_large_or_another_is_not_brought_back()
    {
        var order = Delivered("one");
        var other = Delivered("two");
        Later(Window);
        Archive(order, other);
        Assert.Equal(Outcome.OrderNotFound, _shop.Do(new RestoreOrder { Role = Role.System, Order = 99, Record = _archive.Read(order)! }).Outcome);
        Assert.Equal(Outcome.OrderTooLarge, _shop.Do(new RestoreOrder { Role = Role.System, Order = order, Record = new byte[Limits.RestoredBytes + 1] }).Outcome);
        Assert.Throws<ArgumentException>(() => _shop.Do(new RestoreOrder { Role = Role.System, Order = order, Record = _archive.Read(other)! }));
        Assert.Throws<SnapshotContentException>(() => _shop.Do(new RestoreOrder { Role = Role.System, Order = order, Record = [1, 2, 3] }));
        Assert.Equal(Outcome.RoleNotAllowed, _shop.Do(new RestoreOrder { Role = Role.Manager, Order = order, Record = _archive.Read(order)! }).Outcome);
    }

    [Fact]
    public void A_command_whose_order_left_before_its_turn_is_to_be_sent_again()
    {
        var order = Delivered("gone");
        Later(Window);
        Archive(order);
        foreach (var command in new Command[]
        {
            new ReleaseShipment { Order = order, Lines = [], Role = Role.Warehouse },
            new RequestReturn { Order = order, Role = Role.Customer },
        })
        {
            var sequence = _shop.Core.Sequence;
            Assert.Equal(Outcome.QueueFull, _shop.Do(command).Outcome);
            Assert.Equal(sequence, _shop.Core.Sequence);
        }
        Assert.Equal(Outcome.OrderNotFound, _shop.Do(new ReleaseShipment { Order = 99, Lines = [], Role = Role.Warehouse }).Outcome);
        Assert.Equal(Outcome.OrderNotFound, _shop.Do(new ReleaseShipment { Order = 0, Lines = [], Role = Role.Warehouse }).Outcome);
    }

    [Fact]
    public void An_exchange_keeps_its_order_until_its_replacement_has_come_or_came_to_nothing()
    {
        var (first, second) = (Delivered("first"), Delivered("second"));
        foreach (var order in new[] { first, second })
        {
            _shop.Ok(new RequestReturn { Order = order, Replacements = [new DraftLine(1, 1, 0)], Role = Role.Customer });
            var number = _shop.Core.Reader.LastReturn;
            _shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = number, Role = Role.Support });
            _shop.Ok(new ReceiveReturn { Return = number, Location = 1, Units = [new ReturnedUnits(1, 1, Disposition.Scrap)], Role = Role.Warehouse });
            _shop.Ok(new ReturnStep(CommandKind.CloseReturn) { Return = number, Role = Role.Support });
        }
        Later(Window);
        Archive(first, second);
        Assert.True(Exists(first) && Exists(second));

        Deliver(_shop.Core.Reader.Return(1, _shop.Core.Sequence).Head.Replacement);
        Archive(first);
        Assert.False(Exists(first));
        _shop.Ok(new CancelOrder { Order = _shop.Core.Reader.Return(2, _shop.Core.Sequence).Head.Replacement, Role = Role.Customer });
        Assert.NotEqual(0, _shop.Core.Reader.Return(2, _shop.Core.Sequence).Head.Refund);
        Later(Window);
        Archive(second);
        Assert.False(Exists(second));
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
    }

    [Fact]
    public void Returns_and_complaints_keep_an_order_while_they_are_open_and_stay_when_it_leaves()
    {
        _shop.Ok(new DefineCustomer { Id = Shop.Bytes("c1"), Role = Role.Manager });
        _shop.Ok(new DefineCustomer { Id = Shop.Bytes("c2"), Role = Role.Manager });
        _shop.Ok(new SubmitOrder
        {
            Channel = 1, Customer = 2, ExternalId = Shop.Bytes("sent back"), Policy = AllocationPolicy.AllOrNothing, CurrencyCode = Currency.Pack("GBP"u8), Terms = PaymentTerms.CashOnDelivery,
            Lines = [new DraftLine(1, 1, 100)], Role = Role.Channel, RequestKey = _shop.Key(), BodyDigest = 1,
        });
        var order = Deliver(_shop.Core.Reader.LastOrder);
        _shop.Ok(new RequestReturn { Order = order, Role = Role.Customer });
        _shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = 1, Role = Role.Support });
        _shop.Ok(new OpenComplaint { Order = order, Category = ComplaintCategory.Damaged, Owner = Role.Support, Text = new SealedData(1, [1, 2]), Role = Role.Customer });
        Later(Window);
        Archive(order);
        Assert.True(Exists(order));
        _shop.Ok(new ReceiveReturn { Return = 1, Location = 1, Units = [new ReturnedUnits(1, 1, Disposition.Restock)], Role = Role.Warehouse });
        _shop.Ok(new ReturnStep(CommandKind.CloseReturn) { Return = 1, Role = Role.Support });
        Later(Window);
        Archive(order);
        Assert.True(Exists(order));
        _shop.Ok(new ResolveComplaint { Complaint = 1, Resolution = ComplaintResolution.Refunded, Role = Role.Support });
        Later(Window);
        var before = Picture(order);
        Archive(order);
        Assert.False(Exists(order));
        Forget();
        Assert.Equivalent(before, Picture(order), strict: true);
        Assert.True(_shop.Core.Reader.Return(1, _shop.Core.Sequence).Exists);
        Assert.Equal(1, _shop.Core.Reader.AfterSale(order, _shop.Core.Sequence).Returns);
        Assert.Equal(order, _shop.Core.Reader.Complaint(1, _shop.Core.Sequence).Head.Order);
        Assert.Equal(Outcome.IllegalReturnTransition, _shop.Do(new ReturnStep(CommandKind.CloseReturn) { Return = 1, Role = Role.Support }).Outcome);
        Assert.Equal(Outcome.ComplaintClosed, _shop.Do(new ResolveComplaint { Complaint = 1, Resolution = ComplaintResolution.Refunded, Role = Role.Support }).Outcome);
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        // It is the last order: nothing in the snapshot has a higher number.
        Same();
        _shop.Ok(new RestoreOrder { Role = Role.System, Order = order, Record = _archive.Read(order)! });
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        Same();
    }

    [Fact]
    public void What_may_be_archived_is_told_beforehand()
    {
        var order = Delivered("closed");
        var open = Submit("open");
        var at = Seal().Sequence;
        Assert.False(May(order, Window));
        Later(Window);
        at = Seal().Sequence;
        Assert.True(May(order, Window));
        Assert.False(May(order, 2 * Window) || May(open, Window) || May(99, Window));
        Archive(order);
        at = Seal().Sequence;
        Assert.False(May(order, Window));

        bool May(long number, long window)
        {
            using var guard = _shop.Core.Reader.Enter();
            return _shop.Core.Reader.MayArchive(number, at, _shop.Now, window);
        }
    }

    [Fact]
    public void A_reader_of_an_earlier_sequence_goes_on_seeing_the_order_and_a_snapshot_of_then_is_whole()
    {
        var order = Delivered("seen");
        Later(Window);
        var then = Seal();
        using (_shop.Core.Reader.Enter())
        {
            _shop.Core.Reader.Archive = null;
            Archive(order);
            for (var i = 0; i < 3; i++) _shop.Core.Reclaim(Seal().Sequence);
            var picture = Picture(order, then.Sequence);
            Assert.Equal(4, picture.Events.Count);
            Assert.Equal("seen", picture.ExternalId);
            Assert.Equal(then, SnapshotSupport.Take(_shop.Core, then).Summary);
            _shop.Core.Reader.Archive = _archive;
        }
    }

    [Fact]
    public void An_import_keeps_what_another_engine_archived()
    {
        var order = Delivered("kept");
        Later(Window);
        Archive(order);
        var core = new OrderCore();
        foreach (var bytes in Events())
        {
            var e = Contracts.Journal.Event.Parser.ParseFrom(bytes);
            if (e.OrderArchived is not null) e.OrderArchived.Position = 0;
            core.Replay(Google.Protobuf.MessageExtensions.ToByteArray(e));
        }
        Assert.True(core.Reader.LiveOrder(order, core.Seal().Sequence).Exists);
    }

    [Fact]
    public void Memory_stays_flat_over_a_year()
    {
        const int PerDay = 500, Days = 365;
        var open = new Queue<long>();
        long rowsAtHalf = 0, bytesAtHalf = 0, tablesAtHalf = 0;
        for (var day = 1; day <= Days; day++)
        {
            for (var i = 0; i < PerDay; i++) open.Enqueue(Delivered($"{day}-{i}"));
            _shop.Ok(_shop.Receive(1, (1, PerDay)));
            Later(Shop.Day);
            var due = new List<long>();
            while (open.TryPeek(out var oldest) && _shop.Head(oldest).ChangedAt + Window <= _shop.Now && due.Count < 4 * Limits.ArchivedPerCommand) due.Add(open.Dequeue());
            foreach (var chunk in due.Chunk(Limits.ArchivedPerCommand)) Archive(chunk);
            _shop.Core.Reclaim(Seal().Sequence);
            if (day != Days * 2 / 3) continue;
            rowsAtHalf = Live();
            bytesAtHalf = _shop.Core.Reader.ResidentBytes;
            tablesAtHalf = GC.GetTotalMemory(forceFullCollection: true);
        }
        Assert.Equal(PerDay * (long)Days, _shop.Core.Reader.LastOrder);
        Assert.InRange(Live(), 1, PerDay * 33);
        Assert.InRange(Live(), rowsAtHalf - 2 * PerDay, rowsAtHalf + 2 * PerDay);
        Assert.InRange(_shop.Core.Reader.ResidentBytes, 1, bytesAtHalf + 8 * 1024 * 1024);
        _archive.Drop();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 1, tablesAtHalf + 8 * 1024 * 1024);
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);

        long Live()
        {
            long rows = 0;
            for (long number = 1; number <= _shop.Core.Reader.LastOrder; number++)
                if (_shop.Core.Reader.LiveOrder(number, _shop.Core.Sequence).Exists) rows++;
            return rows;
        }
    }

    private SubmitOrder Draft(string id) => new()
    {
        Channel = 1, ExternalId = Shop.Bytes(id), Policy = AllocationPolicy.AllOrNothing, CurrencyCode = Currency.Pack("GBP"u8), Terms = PaymentTerms.CashOnDelivery,
        Lines = [new DraftLine(1, 1, 100)], Role = Role.Channel, RequestKey = _shop.Key(), BodyDigest = 1, ArchiveAsked = _shop.Core.Reader.ArchivedTotal,
    };

    private long Submit(string id)
    {
        _shop.Ok(Draft(id));
        return _shop.Core.Reader.LastOrder;
    }

    private long Delivered(string id) => Deliver(Submit(id));

    private long Deliver(long order)
    {
        _shop.Ok(new ReleaseShipment { Order = order, Lines = [], Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = order, Lines = [], Role = Role.Warehouse, Carrier = [], TrackingNumber = [] });
        _shop.Ok(new RecordDelivery { Order = order, Lines = [], Role = Role.Carrier });
        return order;
    }

    /// <summary>Time goes by, and with it what was answered: others come.</summary>
    private void Later(long by)
    {
        _shop.Now += by;
        var last = _shop.Core.Reader.LastOrder;
        for (var i = 0; i < 8 || i < last / 300; i++) _shop.Ok(_shop.Receive(2, (2, 1)));
    }

    private void Archive(params long[] orders)
    {
        var encoder = new ArchiveEncoder(_shop.Core.Reader);
        var at = Seal().Sequence;
        var versions = new List<ArchivedVersion>();
        foreach (var order in orders)
        {
            _archive.Add(order, _shop.Head(order).Channel, _shop.Core.Reader.ExternalId(order), encoder.Encode(order, at));
            versions.Add(new ArchivedVersion(order, _shop.Head(order).Version));
        }
        _shop.Ok(new ArchiveOrders { Role = Role.System, Orders = [.. versions], Position = _archive.End, WindowMicros = Window });
    }

    private Decision ArchiveAs(long order, long version) =>
        _shop.Do(new ArchiveOrders { Role = Role.System, Orders = [new ArchivedVersion(order, version)], Position = 1, WindowMicros = Window });

    private bool Exists(long order) => _shop.Core.Reader.LiveOrder(order, _shop.Core.Sequence).Exists;

    private StateSummary Seal() => _shop.Core.Seal();

    /// <summary>Lets go of everything that nobody sees any more, external ids but the recent ones included.</summary>
    private void Forget()
    {
        for (var i = 0; i < 4; i++)
        {
            _shop.Ok(_shop.Receive(2, (2, 1)));
            _shop.Core.Reclaim(Seal().Sequence);
        }
    }

    /// <summary>A replay and a snapshot come to the same state.</summary>
    private void Same()
    {
        var live = Seal();
        var replayed = new OrderCore();
        foreach (var bytes in Events())
        {
            replayed.Replay(bytes);
            replayed.Reclaim(replayed.Seal().Sequence);
        }
        Assert.Equal(live, replayed.Seal());
        var (blocks, _) = SnapshotSupport.Take(_shop.Core, live);
        var loaded = SnapshotSupport.Load(blocks, live);
        loaded.Reader.Archive = _archive;
        SnapshotSupport.Same(_shop.Core, loaded, live.Sequence);
    }

    private List<byte[]> Events()
    {
        var events = new List<byte[]>();
        var walk = new EventEnumerator(_shop.Events.Written);
        while (walk.MoveNext()) events.Add(walk.Current.ToArray());
        return events;
    }

    private (string Row, string ExternalId, List<string> Events, string First) Picture(long order, long? at = null)
    {
        var reader = _shop.Core.Reader;
        var sequence = at ?? _shop.Core.Sequence;
        var view = reader.Order(order, sequence);
        Assert.True(view.Exists);
        var events = new List<string>();
        for (long cursor = 0; reader.PreviousEvent(order, sequence, ref cursor, out var bytes);) events.Insert(0, Convert.ToHexString(bytes));
        return ($"{view.Head.State} {view.Head.Version} {view.Head.Total} {view.Lines[0].Delivered}", System.Text.Encoding.UTF8.GetString(reader.ExternalId(order)),
            events, Convert.ToHexString(reader.FirstEvent(order)));
    }

    /// <summary>An archive in memory.</summary>
    private sealed class FakeArchive : IArchivedOrders
    {
        private readonly Dictionary<long, byte[]> _records = [];
        private readonly Dictionary<ulong, List<long>> _keys = [];

        public long End { get; private set; }

        public void Add(long order, int channel, ReadOnlySpan<byte> externalId, byte[] record)
        {
            _records[order] = record;
            var key = KeyOf(channel, externalId);
            if (!_keys.TryGetValue(key, out var orders)) _keys[key] = orders = [];
            orders.Add(order);
            End++;
        }

        public byte[]? Read(long order) => _records.GetValueOrDefault(order);

        public byte[]? Read(long order, long before) => throw new NotSupportedException();

        public IReadOnlyList<long> Find(int channel, ReadOnlySpan<byte> externalId) => _keys.TryGetValue(KeyOf(channel, externalId), out var orders) ? orders : [];

        private static ulong KeyOf(int channel, ReadOnlySpan<byte> externalId) => Core.Storage.StableHash.Of(externalId, (ulong)channel);

        public void Drop()
        {
            _records.Clear();
            _keys.Clear();
        }
    }
}
