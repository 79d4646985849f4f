// Rule 13: sealed personal data, one key a customer, erased with its key.

using System.Security.Cryptography;
using OrderEngine.Core;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class VaultTests
{
    [Fact]
    public async Task What_is_sealed_can_be_unsealed_and_nothing_else()
    {
        await using var host = await Host.Serving();
        var vault = host.Engine.Vault;
        foreach (var length in new[] { 0, 1, 500, PersonalVault.MaxPlaintext })
        {
            var plain = RandomNumberGenerator.GetBytes(length);
            var data = await vault.SealForGuestAsync(plain);
            Assert.Equal(length + PersonalVault.Overhead, data.Ciphertext.Length);
            Assert.True(data.Ciphertext.Length <= Limits.SealedBytes);
            Assert.True(vault.TryUnseal(data.Key, data.Ciphertext, out var again));
            Assert.Equal(plain, again);
            for (var at = 0; at < data.Ciphertext.Length; at += 97)
            {
                var flipped = data.Ciphertext.ToArray();
                flipped[at] ^= 1;
                Assert.ThrowsAny<CryptographicException>(() => vault.TryUnseal(data.Key, flipped, out _));
            }
        }
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await vault.SealForGuestAsync(new byte[PersonalVault.MaxPlaintext + 1]));
        Assert.ThrowsAny<CryptographicException>(() => vault.TryUnseal(1, new byte[PersonalVault.Overhead - 1], out _));
    }

    [Fact]
    public async Task A_key_ring_that_cannot_be_written_ends_the_process()
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-vault-");
        try
        {
            JournalException? told = null;
            var vault = new PersonalVault(new OrderCore().Reader, new DiskWatch(null, new EngineOptions(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance), exception => told = exception);
            var keys = KeyRing.Open(folder.FullName, 0);
            vault.Open(keys);
            // Keys that are durable already can still be given out; making more fails.
            keys.Dispose();
            var thrown = await Assert.ThrowsAsync<JournalException>(async () =>
            {
                while (true) await vault.TakeKeyAsync();
            });
            Assert.Same(thrown, told);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Guests_have_a_key_each_and_equal_data_looks_different()
    {
        await using var host = await Host.Serving();
        var sealedData = new List<SealedData>();
        for (var i = 0; i < 50; i++) sealedData.Add(await host.Engine.Vault.SealForGuestAsync("same"u8.ToArray()));
        Assert.Equal(50, sealedData.Select(data => data.Key).Distinct().Count());
        Assert.Equal(50, sealedData.Select(data => Convert.ToHexString(data.Ciphertext)).Distinct().Count());
    }

    [Fact]
    public async Task A_customer_has_one_key_before_and_after_the_first_event_also_under_concurrency()
    {
        await using var host = await Host.Serving();
        var vault = host.Engine.Vault;
        var early = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () => await vault.SealForCustomerAsync("c" + i % 4, 0, "x"u8.ToArray()))));
        var keys = early.Select((data, i) => (Customer: i % 4, data.Key)).Distinct().ToList();
        Assert.Equal(4, keys.Count);
        Assert.Equal(4, keys.Select(pair => pair.Key).Distinct().Count());
        // Nonces differ although the key is the same.
        Assert.Equal(64, early.Select(data => Convert.ToHexString(data.Ciphertext.AsSpan(0, 12))).Distinct().Count());

        await host.Ok(new DefineCustomer { Id = Host.Utf8("c0"), Role = Role.Channel, Details = early[0] });
        var number = host.Engine.View.Reader.Customers.Find("c0"u8);
        Assert.Equal(early[0].Key, (await vault.SealForCustomerAsync("c0", number, "y"u8.ToArray())).Key);
        // One that is known without data yet still goes by the pending key.
        await host.Ok(new DefineCustomer { Id = Host.Utf8("c1"), Role = Role.Channel });
        number = host.Engine.View.Reader.Customers.Find("c1"u8);
        Assert.Equal(early[1].Key, (await vault.SealForCustomerAsync("c1", number, "y"u8.ToArray())).Key);
    }

    [Fact]
    public async Task Keys_survive_a_restart_and_new_ones_never_reuse_a_number()
    {
        await using var first = await Host.Serving();
        var data = await first.Engine.Vault.SealForCustomerAsync("c0", 0, "name"u8.ToArray());
        await first.Ok(new DefineCustomer { Id = Host.Utf8("c0"), Role = Role.Channel, Details = data });
        var digest = first.Engine.Vault.BodyDigest("body"u8);
        await first.Engine.StopAsync();
        await using var second = new Host(journal: first.Journal, time: first.Time, directory: first.Folder);
        await second.Engine.StartAsync(default);
        Assert.True(second.Engine.Vault.TryUnseal(data.Key, data.Ciphertext, out var plain));
        Assert.Equal("name"u8.ToArray(), plain);
        var number = second.Engine.View.Reader.Customers.Find("c0"u8);
        Assert.Equal(data.Key, (await second.Engine.Vault.SealForCustomerAsync("c0", number, default)).Key);
        Assert.True((await second.Engine.Vault.SealForGuestAsync(default)).Key > data.Key);
        Assert.Equal(digest, second.Engine.Vault.BodyDigest("body"u8));
    }

    [Fact]
    public async Task Data_under_a_destroyed_key_is_gone()
    {
        await using var host = await Host.Serving();
        var data = await host.Engine.Vault.SealForGuestAsync("name"u8.ToArray());
        await host.Engine.StopAsync();
        using (var keys = KeyRing.Open(host.Folder.FullName, data.Key)) keys.Destroy(data.Key);
        await using var second = new Host(journal: host.Journal, time: host.Time, directory: host.Folder);
        await second.Engine.StartAsync(default);
        Assert.False(second.Engine.Vault.TryUnseal(data.Key, data.Ciphertext, out var plain));
        Assert.Empty(plain);
    }

    [Fact]
    public async Task Digests_are_keyed()
    {
        await using var first = await Host.Serving();
        await using var second = await Host.Serving();
        Assert.Equal(first.Engine.Vault.BodyDigest("body"u8), first.Engine.Vault.BodyDigest("body"u8));
        Assert.NotEqual(first.Engine.Vault.BodyDigest("body"u8), first.Engine.Vault.BodyDigest("bodz"u8));
        Assert.NotEqual(first.Engine.Vault.BodyDigest("body"u8), second.Engine.Vault.BodyDigest("body"u8));
    }

    [Fact]
    public async Task An_erased_customers_key_is_gone_before_the_answer_and_an_old_copy_of_the_keys_does_not_bring_it_back()
    {
        await using var first = await Host.Serving();
        var keys = Path.Combine(first.Folder.FullName, "keys");
        var data = await first.Engine.Vault.SealForCustomerAsync("c0", 0, "name"u8.ToArray());
        await first.Ok(new DefineCustomer { Id = Host.Utf8("c0"), Role = Role.Channel, Details = data });
        var other = await first.Engine.Vault.SealForGuestAsync("other"u8.ToArray());
        var copy = await File.ReadAllBytesAsync(keys);

        await first.Ok(new EraseCustomer { Customer = 1, Role = Role.Manager });
        Assert.False(first.Engine.Vault.TryUnseal(data.Key, data.Ciphertext, out _));
        Assert.True(first.Engine.Vault.TryUnseal(other.Key, other.Ciphertext, out _));
        // Nothing can be sealed for the person any more, and the core refuses what could not be.
        var late = await first.Engine.Vault.SealForCustomerAsync("c0", 1, "late"u8.ToArray());
        Assert.Empty(late.Ciphertext);
        Assert.Equal(Outcome.PersonErased, (await first.Execute(new DefineCustomer { Id = Host.Utf8("c0"), Role = Role.Channel, Details = late })).Outcome);
        await first.Engine.StopAsync();

        // As after a crash between the event and the key, or a restored backup.
        await File.WriteAllBytesAsync(keys, copy);
        await using var second = new Host(journal: first.Journal, time: first.Time, directory: first.Folder);
        await second.Engine.StartAsync(default);
        Assert.False(second.Engine.Vault.TryUnseal(data.Key, data.Ciphertext, out _));
        Assert.True(second.Engine.Vault.TryUnseal(other.Key, other.Ciphertext, out _));
    }
}
