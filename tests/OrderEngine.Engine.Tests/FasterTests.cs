// The engine on the real journal and key ring, in a directory.

using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class FasterTests
{
    [Fact]
    public async Task A_directory_gives_back_what_was_acknowledged()
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-engine-");
        try
        {
            StateSummary live;
            SealedData details;
            await using (var first = await Start(folder.FullName))
            {
                await first.ExecuteAsync(new DefineLocation { Id = Host.Utf8("L1"), Role = Role.Manager }, Lane.Normal, 0, default);
                await first.ExecuteAsync(new DefineChannel { Id = Host.Utf8("web"), Role = Role.Manager }, Lane.Normal, 0, default);
                await first.ExecuteAsync(new DefineSku { Id = Host.Utf8("S1"), Role = Role.Manager }, Lane.Normal, 0, default);
                await first.ExecuteAsync(Host.Receive(500, 1), Lane.Priority, 0, default);
                details = await first.Vault.SealForCustomerAsync("c1", 0, "Ann"u8.ToArray());
                await first.ExecuteAsync(new DefineCustomer { Id = Host.Utf8("c1"), Role = Role.Channel, Details = details }, Lane.Normal, 0, default);
                var answers = await Task.WhenAll(Enumerable.Range(0, 600).Select(_ => first.ExecuteAsync(Host.Submit(), Lane.Normal, 0, default).AsTask()));
                Assert.Equal(500, answers.Count(answer => answer.Outcome == Outcome.Ok));
                live = first.View.Summary;
                Assert.True(first.JournalBytes > 0);
            }
            await using var second = await Start(folder.FullName);
            Assert.Equal(live, second.View.Summary);
            Assert.Equal(second.Recovery.BytesTotal, second.Recovery.BytesDone);
            Assert.True(second.Recovery.BytesDone > 0);
            Assert.Empty(Invariants.Check(second.View.Reader, live.Sequence).Violations);
            Assert.True(second.Vault.TryUnseal(details.Key, details.Ciphertext, out var plain));
            Assert.Equal("Ann"u8.ToArray(), plain);

            // From the beginning: through the journal's files, then live.
            using var feed = second.Orders.Subscribe(OrderFilter.All, 0);
            var seen = 0;
            while (seen < 500) seen += (await feed.ReadAsync(64, TimeSpan.FromMinutes(1), default)).Events.Count;
            Assert.Equal(500, seen);
            await second.ExecuteAsync(Host.Receive(1, 1), Lane.Normal, 0, default);
            await second.ExecuteAsync(Host.Submit(), Lane.Normal, 0, default);
            Assert.Single((await feed.ReadAsync(64, TimeSpan.FromMinutes(1), default)).Events);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<Engine> Start(string directory)
    {
        Engine? engine = null;
        engine = new Engine(new EngineOptions(),
            (from, replay) => FasterJournal.Open(new JournalOptions { Directory = directory }, from, replay, new Progress(engine!)),
            highest => KeyRing.Open(directory, highest), TimeProvider.System, new RecordingFailStop(), new EngineMetrics(), NullLogger<Engine>.Instance);
        await engine.StartAsync(default);
        return engine;
    }

    private sealed class Progress(Engine engine) : IProgress<RecoveryProgress>
    {
        public void Report(RecoveryProgress value) => engine.ReportRecovery(value.BytesDone, value.BytesTotal);
    }
}
