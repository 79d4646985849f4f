// Proves: closed orders leave memory for the files and are read as before, also after a restart from a snapshot or from the journal; their external ids stay
// taken; a command brings its order back; a crash between file and journal costs nothing; what does not fit together is refused; the erased stay erased.

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed partial class ArchiveTests : IDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromDays(30);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orderengine-engine-");
    private readonly RecordingFailStop _failStop = new();
    private readonly ManualTime _time = new();
    private readonly SwitchedDisk _disk = new();
    private int _keys;
    private bool _takesSnapshots = true;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_closed_order_leaves_memory_and_is_read_as_before_also_after_a_restart(bool fromSnapshot)
    {
        Picture before;
        StateSummary live;
        SubmitOrder taken;
        _takesSnapshots = fromSnapshot;
        var engine = await Start(define: true);
        await using (engine)
        {
            taken = Host.Submit(units: 3);
            var order = await Delivered(engine, taken);
            var open = await Submit(engine, Host.Submit());
            Assert.Equal((1, 2), (order, open));
            before = Look(engine, 1);
            Assert.True(await Archive(engine));
            Assert.False(IsInMemory(engine, 1));
            Assert.True(IsInMemory(engine, 2));
            Assert.Equal((1, 2), (engine.View.Summary.Archived, engine.View.Summary.Orders));
            Same(before, Look(engine, 1));
            Assert.True(engine.ArchiveBytes > 0);
            Assert.Equal(Outcome.ExternalIdTaken, (await Do(engine, Again(taken))).Outcome);
            // Nothing is written twice.
            var bytes = engine.ArchiveBytes;
            Assert.True(await Archive(engine));
            Assert.Equal(bytes, engine.ArchiveBytes);
            while (fromSnapshot && (await engine.CreateCheckpointAsync()).Status == CheckpointStatus.AlreadyRunning) await Task.Yield();
            Assert.Equal(fromSnapshot ? engine.View.DurableSequence : 0, engine.Snapshot.Sequence);
            live = engine.View.Summary;
        }
        engine = await Start();
        await using (engine)
        {
            Assert.Equal(live, engine.View.Summary);
            Assert.False(IsInMemory(engine, 1));
            Same(before, Look(engine, 1));
            var refused = await Do(engine, Again(taken));
            Assert.Equal((Outcome.ExternalIdTaken, 1L), (refused.Outcome, Number(new EventView(refused.Event.Span).Body, 3)));
            Assert.Equal(Outcome.ExternalIdTaken, (await engine.CheckAsync(Again(taken), default)).Outcome);
            Assert.Equal(Outcome.Ok, (await Do(engine, Again(taken, channel: 2))).Outcome);
            Assert.Empty(Invariants.Check(engine.View.Reader, engine.View.DurableSequence).Violations);
        }
        Assert.Equal(0, _failStop.Calls);
    }

    [Fact]
    public async Task A_command_brings_its_order_back_and_it_leaves_again()
    {
        await using var engine = await Start(define: true);
        var order = await Delivered(engine, Host.Submit());
        var events = Look(engine, order).Events;
        Assert.True(await Archive(engine));
        Assert.False(IsInMemory(engine, order));
        // By a call, and by a stream.
        await Ok(engine, Paid(order));
        Assert.True(IsInMemory(engine, order));
        var now = Look(engine, order);
        Assert.Equal(events, now.Events.Take(events.Count));
        Assert.Equal([EventKind.OrderRestored, EventKind.PaymentRecorded], Kinds(now).Skip(events.Count));
        Assert.True(await Archive(engine));
        Assert.False(IsInMemory(engine, order));
        Same(now, Look(engine, order));
        var queued = await engine.EnqueueAsync(Paid(order), Lane.Normal, 0, default);
        Assert.Equal(Outcome.Ok, (await queued).Outcome);
        Assert.Equal(events.Count + 4, Look(engine, order).Events.Count);
        Assert.Equal(Outcome.OrderNotFound, (await Do(engine, Paid(99))).Outcome);
        Assert.Equal(0, engine.View.Summary.Archived);
    }

    [Fact]
    public async Task The_window_of_retries_holds_and_after_it_the_external_id_does()
    {
        await using var engine = await Start(define: true, options: new EngineOptions { ArchiveAfter = TimeSpan.FromMinutes(1) });
        var first = Host.Submit(key: 77, digest: 1);
        var accepted = await Do(engine, first);
        await Deliver(engine, 1);
        _time.Advance(TimeSpan.FromHours(23));
        Assert.True(await engine.Archiving);
        Assert.True(IsInMemory(engine, 1));
        var replayed = await Do(engine, Again(first));
        Assert.True(replayed.Replayed);
        Assert.Equal(accepted.Event.ToArray(), replayed.Event.ToArray());
        Assert.True(await Archive(engine));
        Assert.False(IsInMemory(engine, 1));
        Assert.Equal(Outcome.ExternalIdTaken, (await Do(engine, Again(first))).Outcome);
    }

    [Fact]
    public async Task What_a_crash_left_between_file_and_journal_is_dropped()
    {
        long end;
        await using (var engine = await Start(define: true))
        {
            await Delivered(engine, Host.Submit());
            await Archive(engine);
            end = engine.Archive!.End;
            await Delivered(engine, Host.Submit());
        }
        // The record was written, the command was not.
        var files = Files();
        files.Open(end);
        files.Append([new ArchiveEntry(2, 5, 6, new byte[700])]);
        await using var again = await Start();
        Assert.Equal(end, again.Archive!.End);
        Assert.True(IsInMemory(again, 2));
        Assert.True(await Archive(again));
        Assert.False(IsInMemory(again, 2));
        Assert.Equal(4, Look(again, 2).Events.Count);
    }

    [Fact]
    public async Task Many_are_archived_in_chunks_and_all_are_found()
    {
        var pictures = new List<Picture>();
        await using (var engine = await Start(define: true))
        {
            var submits = Enumerable.Range(0, 700).Select(_ => Host.Submit()).ToList();
            await Task.WhenAll(submits.Select(submit => Do(engine, submit)));
            for (var order = 1; order <= 700; order++) await Deliver(engine, order);
            for (var order = 1; order <= 700; order++) pictures.Add(Look(engine, order));
            await Archive(engine);
            Assert.Equal(700, engine.View.Summary.Archived);
        }
        await using var again = await Start();
        for (var order = 1; order <= 700; order++)
        {
            Same(pictures[order - 1], Look(again, order));
            Assert.Equal(order, again.View.Reader.FindOrder(1, pictures[order - 1].ExternalId));
        }
    }

    [Fact]
    public async Task What_cannot_be_written_stays_and_is_written_later()
    {
        await using var engine = await Start(define: true);
        await Delivered(engine, Host.Submit());
        _disk.Fails = true;
        Assert.False(await Archive(engine));
        Assert.True(IsInMemory(engine, 1));
        Assert.Equal(0, engine.ArchiveBytes);
        await Ok(engine, Host.Submit());
        _disk.Fails = false;
        Assert.True(await Archive(engine));
        Assert.False(IsInMemory(engine, 1));
        Assert.Equal(0, _failStop.Calls);
    }

    [Fact]
    public async Task A_start_without_the_archive_that_the_journal_relies_on_is_refused()
    {
        await using (var engine = await Start(define: true))
        {
            await Delivered(engine, Host.Submit());
            await Archive(engine);
        }
        var archive = Path.Combine(_folder.FullName, "archive");
        Directory.Move(archive, archive + ".away");
        Assert.Contains("missing", (await Assert.ThrowsAsync<JournalException>(() => Start())).Message, StringComparison.Ordinal);
        Assert.Contains("given none", (await Assert.ThrowsAsync<JournalException>(() => Start(withArchive: false))).Message, StringComparison.Ordinal);
        Directory.Move(archive + ".away", archive);
        await using var again = await Start();
        Assert.NotEmpty(Look(again, 1).Events);
    }

    [Fact]
    public async Task A_damaged_record_fails_what_asks_for_it_and_nothing_else()
    {
        var taken = Host.Submit();
        await using (var engine = await Start(define: true))
        {
            await Delivered(engine, taken);
            await Delivered(engine, Host.Submit());
            await Archive(engine);
            var path = Path.Combine(_folder.FullName, "archive", "000000.seg");
            var bytes = File.ReadAllBytes(path);
            bytes[200] ^= 4;
            File.WriteAllBytes(path, bytes);
            Assert.Throws<JournalException>(() => Look(engine, 1));
            await Assert.ThrowsAsync<JournalException>(() => Do(engine, Paid(1)));
            Assert.NotEmpty(Look(engine, 2).Events);
            await Ok(engine, Paid(2));
            await Ok(engine, Host.Submit());
        }
        await using var again = await Start();
        // Nobody can tell whether it is the same id; it is not taken for a new one.
        await Assert.ThrowsAsync<JournalException>(() => Do(again, Again(taken)));
        await Ok(again, Host.Submit());
    }

    [Fact]
    public async Task Who_was_erased_cannot_be_read_from_the_archive()
    {
        await using var engine = await Start(define: true);
        var details = await engine.Vault.SealForCustomerAsync("c1", 0, "Ann"u8.ToArray());
        await Ok(engine, new DefineCustomer { Id = Host.Utf8("c1"), Role = Role.Channel, Details = details });
        var ofCustomer = await engine.Vault.SealForCustomerAsync("c1", 1, "Ann, 1 Street"u8.ToArray());
        var ofGuest = await engine.Vault.SealForGuestAsync("Bob, 2 Street"u8.ToArray());
        await Delivered(engine, Sealed(ofCustomer, customer: 1));
        await Delivered(engine, Sealed(ofGuest));
        await Archive(engine);
        Assert.False(IsInMemory(engine, 1) || IsInMemory(engine, 2));
        Assert.Equal("Ann, 1 Street"u8.ToArray(), Unseal(engine, 1));
        Assert.Equal("Bob, 2 Street"u8.ToArray(), Unseal(engine, 2));
        await Ok(engine, new EraseCustomer { Customer = 1, Role = Role.Manager });
        Assert.False(IsInMemory(engine, 1));
        Assert.Null(Unseal(engine, 1));
        // A guest is erased by the order, which comes back for it.
        await Ok(engine, new EraseOrder { Order = 2, Role = Role.Manager });
        Assert.Null(Unseal(engine, 2));

        static SubmitOrder Sealed(SealedData delivery, int customer = 0) => Host.Submit(customer: customer) is var draft ? new SubmitOrder
        {
            Channel = draft.Channel, Customer = customer, ExternalId = draft.ExternalId, CurrencyCode = draft.CurrencyCode, Policy = draft.Policy, Terms = draft.Terms, Lines = draft.Lines,
            Role = draft.Role, Delivery = delivery,
        } : draft;
    }

    [Fact]
    public async Task An_import_takes_over_what_another_engine_has_archived()
    {
        List<byte[]> events;
        Picture archived, restored;
        await using (var engine = await Start(define: true))
        {
            await Delivered(engine, Host.Submit());
            await Delivered(engine, Host.Submit());
            await Archive(engine);
            await Ok(engine, Paid(2));
            (archived, restored) = (Look(engine, 1), Look(engine, 2));
            events = [.. Host.EventsOf(engine.Journal!.Read(1))];
        }
        await using var host = new Host(time: _time);
        await host.Engine.StartAsync(default);
        Assert.Equal(ImportStatus.Imported, (await host.Engine.ImportAsync(events, default)).Status);
        Assert.True(IsInMemory(host.Engine, 1) && IsInMemory(host.Engine, 2));
        Assert.Equal(archived.Events.Count, Look(host.Engine, 1).Events.Count);
        Assert.Equal(restored.Events.Count, Look(host.Engine, 2).Events.Count);
        Assert.Equal(0, host.Engine.View.Summary.Archived);
    }

    private ArchiveStore Files() => new(_folder.FullName, _disk, 20_000);

    private async Task<Engine> Start(bool define = false, EngineOptions? options = null, bool withArchive = true)
    {
        var engine = new Engine(options ?? new EngineOptions { ArchiveAfter = s_window, SnapshotInterval = TimeSpan.FromDays(30) },
            (from, replay) => FasterJournal.Open(new JournalOptions { Directory = _folder.FullName, Geometry = new JournalGeometry(20, 22) }, from, replay),
            highest => KeyRing.Open(_folder.FullName, highest), _time, _failStop, new EngineMetrics(), NullLogger<Engine>.Instance, _takesSnapshots ? new SnapshotStore(_folder.FullName) : null, null,
            withArchive ? Files() : null);
        try
        {
            await engine.StartAsync(default);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
        if (!define) return engine;
        await Ok(engine, new DefineLocation { Id = Host.Utf8("L1"), Role = Role.Manager });
        await Ok(engine, new DefineChannel { Id = Host.Utf8("web"), Role = Role.Manager });
        await Ok(engine, new DefineChannel { Id = Host.Utf8("shop"), Role = Role.Manager });
        await Ok(engine, new DefineSku { Id = Host.Utf8("S1"), Role = Role.Manager });
        await Ok(engine, Host.Receive(1_000_000, 1));
        return engine;
    }

    /// <summary>Lets the window pass, with others' requests in it, and waits for the look that follows.</summary>
    private async Task<bool> Archive(Engine engine)
    {
        _time.Advance(s_window);
        await engine.Archiving;
        for (var i = 0; i < 8; i++) await Ok(engine, new ReceiveStock { Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = (UInt128)(1_000 + _keys++) });
        _time.Advance(TimeSpan.FromMinutes(1));
        return await engine.Archiving;
    }

    private async Task<CommandAnswer> Do(Engine engine, Command command)
    {
        var answer = engine.ExecuteAsync(command, Lane.Normal, 0, default).AsTask();
        // A failed engine answers nobody.
        if (await Task.WhenAny(answer, _failStop.Failed) != answer) throw new InvalidOperationException($"The engine failed: {await _failStop.Failed}");
        return await answer;
    }

    private async Task Ok(Engine engine, Command command) => Assert.Equal(Outcome.Ok, (await Do(engine, command)).Outcome);

    private async Task<long> Submit(Engine engine, SubmitOrder submit)
    {
        await Ok(engine, submit);
        return engine.View.Summary.Orders;
    }

    private async Task<long> Delivered(Engine engine, SubmitOrder submit)
    {
        var order = await Submit(engine, submit);
        await Deliver(engine, order);
        return order;
    }

    private async Task Deliver(Engine engine, long order)
    {
        await Ok(engine, new ReleaseShipment { Order = order, Lines = [], Role = Role.Warehouse });
        await Ok(engine, new ConfirmShipment { Order = order, Lines = [], Role = Role.Warehouse, Carrier = [], TrackingNumber = [] });
        await Ok(engine, new RecordDelivery { Order = order, Lines = [], Role = Role.Carrier });
    }

    private static SubmitOrder Again(SubmitOrder first, int channel = 1) => new()
    {
        Channel = channel, ExternalId = first.ExternalId, CurrencyCode = first.CurrencyCode, Policy = first.Policy, Terms = first.Terms, Lines = first.Lines, Role = first.Role,
        RequestKey = first.RequestKey, BodyDigest = first.BodyDigest,
    };

    private RecordPayment Paid(long order) =>
        new() { Order = order, Role = Role.Finance, Amount = 1, CurrencyCode = Currency.Pack("GBP"u8), Reference = BitConverter.GetBytes(_keys++) };

    private static bool IsInMemory(Engine engine, long order)
    {
        using var guard = engine.View.Reader.Enter();
        return engine.View.Reader.LiveOrder(order, engine.View.DurableSequence).Exists;
    }

    private sealed record Picture(string Row, long Version, byte[] ExternalId, List<byte[]> Events);

    private static Picture Look(Engine engine, long order) => Look(engine.View.Reader, engine.View, order);

    private static Picture Look(StateReader reader, ReadView durable, long order)
    {
        using var guard = reader.Enter();
        var at = durable.DurableSequence;
        var view = reader.Order(order, at);
        Assert.True(view.Exists);
        var events = new List<byte[]>();
        for (long cursor = 0; reader.PreviousEvent(order, at, ref cursor, out var bytes);) events.Insert(0, bytes.ToArray());
        var care = reader.Care(order, at);
        var said = care.Feedback == 0 ? 0 : new EventView(reader.Event(order, care.Feedback)).Sequence;
        return new Picture($"{view.Head.State} {view.Head.Total} {view.Head.Paid} {view.Head.AcceptedAt} {view.Lines[0].Delivered} {care.Rating} {care.Complaints} {said}",
            view.Head.Version, reader.ExternalId(order).ToArray(), events);
    }

    private static void Same(Picture one, Picture other) => Assert.Equivalent(one, other, strict: true);

    private static IEnumerable<EventKind> Kinds(Picture picture) => picture.Events.Select(bytes => new EventView(bytes).Kind);

    private static byte[]? Unseal(Engine engine, long order)
    {
        var submitted = new EventView(Look(engine, order).Events[0]);
        var body = new ProtoReader(submitted.Body);
        while (body.Next(out var field, out var wireType))
        {
            if (!PersonalFields.IsSealed(submitted.Kind, field))
            {
                body.Skip(wireType);
                continue;
            }
            var data = body.Bytes();
            return engine.Vault.TryUnseal(Number(data, 1), Bytes(data, 2), out var plain) ? plain : null;
        }
        throw new InvalidOperationException("Nothing is sealed in it.");
    }

    private static long Number(ReadOnlySpan<byte> message, int wanted)
    {
        var reader = new ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == wanted) return reader.Long();
            reader.Skip(wireType);
        }
        return 0;
    }

    private static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> message, int wanted)
    {
        var reader = new ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == wanted) return reader.Bytes();
            reader.Skip(wireType);
        }
        return default;
    }

    private sealed class SwitchedDisk : Disk
    {
        public bool Fails { get; set; }

        /// <summary>Reads of the archive's segments that found something.</summary>
        public int Reads { get; set; }

        public override int Read(SafeFileHandle file, string path, Span<byte> bytes, long offset)
        {
            var count = base.Read(file, path, bytes, offset);
            if (count > 0 && path.EndsWith(".seg", StringComparison.Ordinal)) Reads++;
            return count;
        }

        public override void Flush(SafeFileHandle file, string path)
        {
            if (Fails) throw new IOException("Input/output error");
            base.Flush(file, path);
        }
    }
}
