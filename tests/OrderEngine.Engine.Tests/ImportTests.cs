// An export loaded into an empty engine: all of it or nothing of it.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Engine.Tests;

public sealed class ImportTests
{
    [Fact]
    public async Task An_import_gives_the_state_that_was_exported_and_survives_a_restart()
    {
        await using var source = await Exported();
        await using var target = new Host(new EngineOptions { MaxBatchBytes = 1 });
        await target.Engine.StartAsync(default);
        var result = await target.Engine.ImportAsync(source.Events(), default);
        Assert.Equal(new ImportResult(ImportStatus.Imported, source.Engine.View.DurableSequence, -1, ""), result);
        Assert.Equal(source.Engine.View.Summary, target.Engine.View.Summary);
        Assert.True(target.Journal.Batches.Count > 3);
        // What was answered there is answered the same here, although the digests of the bodies could not come along.
        var retry = Host.Submit(sku: 1, units: 2, policy: AllocationPolicy.PartialBackorder, key: 500, digest: 77);
        var (there, here) = (await source.Execute(Host.Submit(sku: 1, units: 2, policy: AllocationPolicy.PartialBackorder, key: 500, digest: 1)), await target.Execute(retry));
        Assert.True(there.Replayed && here.Replayed);
        Assert.Equal(new EventView(there.Event.Span).Order, new EventView(here.Event.Span).Order);
        Assert.Equal(Outcome.RequestIdReused, (await source.Execute(retry)).Outcome);
        // It goes on like any other engine.
        await target.Ok(Host.Submit());
        var live = target.Engine.View.Summary;
        await target.Engine.StopAsync();
        await using var again = new Host(journal: target.Journal, time: target.Time, directory: target.Folder);
        await again.Engine.StartAsync(default);
        Assert.Equal(live, again.Engine.View.Summary);
        Assert.Empty(Invariants.Check(again.Engine.View.Reader, live.Sequence).Violations);
    }

    [Fact]
    public async Task Commands_that_come_during_an_import_are_decided_after_it()
    {
        await using var source = await Exported();
        await using var target = new Host(new EngineOptions { MaxBatchBytes = 1_000 });
        await target.Engine.StartAsync(default);
        target.Journal.IsManual = true;
        var import = target.Engine.ImportAsync(source.Events(), default);
        await target.Journal.WhenAppended(1);
        var order = target.Execute(Host.Submit()).AsTask();
        var second = target.Engine.ImportAsync(source.Events(), default);
        Assert.False(import.IsCompleted);
        target.Journal.GoAutomatic();
        Assert.Equal(ImportStatus.Imported, (await import).Status);
        Assert.Equal(ImportStatus.NotEmpty, (await second).Status);
        Assert.Equal(source.Engine.View.DurableSequence + 1, (await order).Sequence);
    }

    [Fact]
    public async Task Events_that_do_not_fit_are_named_and_nothing_is_written()
    {
        await using var source = await Exported();
        var events = source.Events();
        await using var target = new Host();
        await target.Engine.StartAsync(default);

        var gap = events.ToList();
        gap.RemoveAt(5);
        var result = await target.Engine.ImportAsync(gap, default);
        Assert.Equal((ImportStatus.Invalid, 5), (result.Status, result.EventIndex));
        var garbage = events.ToList();
        garbage[7] = [0xFF, 0xFF, 0xFF];
        result = await target.Engine.ImportAsync(garbage, default);
        Assert.Equal((ImportStatus.Invalid, 7), (result.Status, result.EventIndex));
        Assert.Equal(ImportStatus.Invalid, (await target.Engine.ImportAsync([], default)).Status);
        Assert.Equal((0, 0L), (target.Journal.Appends, target.Engine.View.DurableSequence));
        Assert.Equal(0, target.FailStop.Calls);
        Assert.Equal(ImportStatus.Imported, (await target.Engine.ImportAsync(events, default)).Status);
    }

    [Fact]
    public async Task An_engine_that_holds_something_or_does_not_serve_refuses()
    {
        await using var source = await Exported();
        Assert.Equal(ImportStatus.NotEmpty, (await source.Engine.ImportAsync(source.Events(), default)).Status);
        await using var target = new Host();
        Assert.Equal(ImportStatus.NotServing, (await target.Engine.ImportAsync(source.Events(), default)).Status);
    }

    [Fact]
    public async Task Personal_data_is_sealed_anew_or_left_out_and_never_meets_another_persons_key()
    {
        await using var source = await Host.Serving();
        var details = await source.Engine.Vault.SealForCustomerAsync("c1", 0, "Ann"u8.ToArray());
        await source.Ok(new DefineCustomer { Id = Host.Utf8("c1"), Role = Role.Channel, Details = details });
        var erased = await source.Engine.Vault.SealForCustomerAsync("c2", 0, "Bob"u8.ToArray());
        await source.Ok(new DefineCustomer { Id = Host.Utf8("c2"), Role = Role.Channel, Details = erased });
        await source.Ok(With(await source.Engine.Vault.SealForCustomerAsync("c1", 1, "Ann's door"u8.ToArray()), customer: 1));
        await source.Ok(With(await source.Engine.Vault.SealForGuestAsync("a guest's door"u8.ToArray()), customer: 0));
        // As an export does it: what can be read is added as plaintext; Bob was erased.
        var events = source.Events().Select(e => Decrypted(e, (key, ciphertext) =>
            key != erased.Key && source.Engine.Vault.TryUnseal(key, ciphertext, out var plain) ? plain : null)).ToList();

        await using var target = new Host();
        await target.Engine.StartAsync(default);
        // Keys that this engine has given out already; the export's numbers are among them.
        for (var i = 0; i < 10; i++) await target.Engine.Vault.SealForGuestAsync("somebody else"u8.ToArray());
        Assert.Equal(ImportStatus.Imported, (await target.Engine.ImportAsync(events, default)).Status);

        var found = target.Events().Select(SealedOf).Where(data => data.Key != 0).ToList();
        Assert.Equal(3, found.Count);
        Assert.All(found, data => Assert.True(data.Key > 10));
        Assert.Equal(["Ann", "Ann's door", "a guest's door"], found.Select(data =>
        {
            Assert.True(target.Engine.Vault.TryUnseal(data.Key, data.Ciphertext, out var plain));
            return System.Text.Encoding.UTF8.GetString(plain);
        }));
        Assert.Equal(found[0].Key, found[1].Key);
        Assert.NotEqual(found[0].Key, found[2].Key);
        Assert.Equal(found[0].Key, target.Engine.View.Reader.CustomerKey(1));
        Assert.Equal(0, target.Engine.View.Reader.CustomerKey(2));
        Assert.Equal(source.Engine.View.Summary with { StateHash = 0, HighestKey = 0 }, target.Engine.View.Summary with { StateHash = 0, HighestKey = 0 });
        Assert.All(target.Journal.Batches, batch => Assert.Equal(-1, batch.Payload.Span.IndexOf("Ann"u8)));

        events[^1] = Decrypted(source.Events()[^1], (_, _) => new byte[PersonalVault.MaxPlaintext + 1]);
        await using var refusing = new Host();
        await refusing.Engine.StartAsync(default);
        var refused = await refusing.Engine.ImportAsync(events, default);
        Assert.Equal((ImportStatus.Invalid, events.Count - 1), (refused.Status, refused.EventIndex));

        // In the clear and under no key it would lie in the journal for ever.
        events[^1] = Decrypted(source.Events()[^1], (_, _) => "nobody's"u8.ToArray(), keepKey: false);
        refused = await refusing.Engine.ImportAsync(events, default);
        Assert.Equal((ImportStatus.Invalid, events.Count - 1), (refused.Status, refused.EventIndex));
        Assert.Equal(0, refusing.Journal.Appends);
    }

    private static SubmitOrder With(SealedData delivery, int customer) => new()
    {
        Channel = 1,
        Customer = customer,
        ExternalId = Host.Utf8("d" + delivery.Key + "-" + customer),
        CurrencyCode = Currency.Pack("GBP"u8),
        Policy = AllocationPolicy.AllOrNothing,
        Terms = PaymentTerms.CashOnDelivery,
        Lines = [new DraftLine(1, 1, 100)],
        Role = Role.Channel,
        Delivery = delivery,
    };

    private static SealedData SealedOf(byte[] encoded)
    {
        var data = default(SealedData);
        Decrypted(encoded, (key, ciphertext) =>
        {
            data = new SealedData(key, ciphertext);
            return null;
        });
        return data;
    }

    /// <summary>The event with its personal data also as plaintext (Sealed, field 15), if the function has one.</summary>
    private static byte[] Decrypted(byte[] encoded, Func<long, byte[], byte[]?> decrypt, bool keepKey = true)
    {
        var e = new EventView(encoded);
        var sealedField = e.Kind switch { EventKind.CustomerDefined => 4, EventKind.OrderSubmitted => 9, _ => 0 };
        if (sealedField == 0) return encoded;
        var buffer = new EventBuffer();
        var reader = new ProtoReader(encoded);
        for (var start = 0; reader.Next(out var field, out var wireType); start = reader.Position)
        {
            if (field != (int)e.Kind)
            {
                reader.Skip(wireType);
                buffer.Raw(encoded.AsSpan()[start..reader.Position]);
                continue;
            }
            var body = reader.Bytes();
            var outer = buffer.BeginNested(field);
            var inside = new ProtoReader(body);
            for (var at = 0; inside.Next(out var bodyField, out var bodyWire); at = inside.Position)
            {
                if (bodyField != sealedField)
                {
                    inside.Skip(bodyWire);
                    buffer.Raw(body[at..inside.Position]);
                    continue;
                }
                var data = inside.Bytes();
                var parts = new ProtoReader(data);
                long key = 0;
                byte[] ciphertext = [];
                while (parts.Next(out var part, out _))
                {
                    if (part == 1) key = parts.Long();
                    else ciphertext = parts.Bytes().ToArray();
                }
                var nested = buffer.BeginNested(bodyField);
                if (keepKey) buffer.Raw(data);
                buffer.Bytes(15, decrypt(key, ciphertext));
                buffer.EndNested(nested);
            }
            buffer.EndNested(outer);
        }
        return buffer.Written.ToArray();
    }

    private static async Task<Host> Exported()
    {
        var host = await Host.Serving(units: 10);
        await host.Ok(Host.Hold(2, 3, TimeSpan.FromDays(1)));
        for (var i = 0; i < 30; i++) await host.Execute(Host.Submit(sku: 1 + i % 4, units: 2, policy: AllocationPolicy.PartialBackorder, key: (UInt128)(500 + i), digest: 1));
        // Fills the queue: an import must bring these events, not make them again.
        await host.Ok(Host.Receive(50, 1, 3));
        return host;
    }
}
