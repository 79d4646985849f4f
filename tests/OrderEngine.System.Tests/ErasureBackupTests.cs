// Proves: a person who was erased comes back out of no backup, whichever was taken before and whichever after; but for the one way that docs/OPERATING.md
// warns of, which shows that the search would find them.
using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ErasureBackupTests(ITestOutputHelper log)
{
    [Fact]
    public async Task Nothing_of_an_erased_person_comes_back_out_of_a_backup()
    {
        await using var server = await Server.StartNewAsync(log);
        Person customer, guest, innocent;
        Dictionary<ulong, byte[]> secrets;
        string InFolder(string name) => Path.Combine(server.Folder, name);
        using (var client = server.Connect())
        {
            await People.OpenAsync(client);
            customer = await People.PersonAsync(client, "C1", "Zsuzsanna Quillfeather");
            guest = await People.PersonAsync(client, "", "Okonkwo Thistledown");
            innocent = await People.PersonAsync(client, "C2", "Bartholomew Underwood");
            await client.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
            var (_, keys) = await People.AnswersAsync(server, client, customer, guest, innocent);
            secrets = await People.SecretsAsync(server.DataDirectory, keys);
        }
        (await server.OrderctlAsync("backup", InFolder("before"), "--with-keys", InFolder("keys.before"))).Succeeded();
        (await server.OrderctlAsync("customer", "erase", "C1", "--yes")).Succeeded();
        (await server.OrderctlAsync("order", "erase", guest.OrderId, "--yes")).Succeeded();
        (await server.OrderctlAsync("backup", InFolder("after"), "--with-keys", InFolder("keys.after"))).Succeeded();
        await server.StopAsync();

        // Neither backup nor the keys of afterwards hold anything; the keys of before hold the keys, of everybody.
        CheckFiles(InFolder("before"));
        CheckFiles(InFolder("after"));
        CheckBytes("keys.after", await People.ReadAsync(InFolder("keys.after")));
        var old = await People.ReadAsync(InFolder("keys.before"));
        Assert.All(secrets.Values, secret => Assert.True(People.Holds(old, secret)));

        // An older backup with the keys of now; a newer one with older keys, which its events destroy again when it is started.
        foreach (var (backup, keys) in new[] { ("before", "keys.after"), ("after", "keys.before"), ("after", "keys.after") })
        {
            await RestoreAsync(backup, keys);
            using var client = server.Connect();
            CheckFiles(server.DataDirectory);
            var (told, _) = await People.AnswersAsync(server, client, customer, guest, innocent);
            foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(told.Holds(word), $"'{word}' came back out of '{backup}' with '{keys}'.");
            foreach (var word in innocent.Words) Assert.True(told.Holds(word), $"'{word}', of somebody else, is gone from '{backup}' with '{keys}'.");
            // Restored to before it, the engine does not know of the erasure, and is told again.
            Assert.Equal(backup == "after", (await client.Customers.EraseCustomerAsync(new EraseCustomerRequest { CustomerId = "C1" })).AlreadyErased);
            Assert.NotNull((await client.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C1", IncludeDetails = true })).EraseTime);
            await Expect.HoldsAsync(client);
            await server.StopAsync();
            CheckFiles(server.DataDirectory);
        }

        // What the operator must not keep: backup and keys of before, together. The search finds everything.
        await RestoreAsync("before", "keys.before");
        using var last = server.Connect();
        var (all, _) = await People.AnswersAsync(server, last, customer, guest, innocent);
        foreach (var word in customer.Words.Concat(guest.Words)) Assert.True(all.Holds(word), $"'{word}' was not in the backup: nothing was proved.");

        async Task RestoreAsync(string backup, string keys)
        {
            Directory.Delete(server.DataDirectory, recursive: true);
            (await Orderctl.RunAsync("restore", InFolder(backup), "--data", server.DataDirectory, "--keys", InFolder(keys))).Succeeded();
            await server.StartAsync();
        }

        void CheckFiles(string directory)
        {
            foreach (var (name, bytes) in People.Files(directory)) CheckBytes(name, bytes);
        }

        void CheckBytes(string name, byte[] bytes)
        {
            foreach (var word in customer.Words.Concat(guest.Words)) Assert.False(People.Holds(bytes, Encoding.UTF8.GetBytes(word)), $"{name} holds '{word}'.");
            foreach (var key in new[] { customer.Key, guest.Key }) Assert.False(People.Holds(bytes, secrets[key]), $"{name} holds the erased key {key}.");
        }
    }
}
