// Proves: a checkpoint through the wire is taken, shown and started from; a second one says that nothing has happened; a failed one says why.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class CheckpointTests
{
    [Fact]
    public async Task A_checkpoint_is_taken_shown_and_started_from()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        try
        {
            EngineStatus before;
            string order;
            await using (var server = await TestServer.StartAsync(directory: directory))
            {
                await Shop.OpenAsync(server);
                order = (await server.Orders.SubmitOrderAsync(Shop.Submit())).OrderId;
                var taken = await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
                before = await server.StatusAsync();
                Assert.Equal((true, before.Sequence, 1), (taken.Created, taken.Sequence, taken.JournalFirstSequence));
                Assert.Equal((taken.Sequence, taken.Bytes, 1), (before.SnapshotSequence, before.SnapshotBytes, before.JournalFirstSequence));
                Assert.False((await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest())).Created);
            }
            await using var again = await TestServer.StartAsync(directory: directory);
            var after = await again.StatusAsync();
            Assert.Equal((before.StateHash, before.SnapshotSequence), (after.StateHash, after.SnapshotSequence));
            Assert.Single((await again.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_failed_checkpoint_says_why()
    {
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<ISnapshotStore, FullDisk>());
        await Shop.OpenAsync(server);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest()));
        Assert.Equal((StatusCode.Internal, "No space left on device"), (error.StatusCode, error.Status.Detail));
        await server.Orders.SubmitOrderAsync(Shop.Submit());
    }

    private sealed class FullDisk : ISnapshotStore
    {
        public IReadOnlyList<SnapshotFile> List() => [];

        public void Read(SnapshotFile snapshot, Action<ReadOnlySpan<byte>> block) => throw new InvalidOperationException("There is none.");

        public Stream Open(SnapshotFile snapshot) => throw new InvalidOperationException("There is none.");

        public SnapshotFile Write(Func<Action<ReadOnlySpan<byte>>, long> walk) => throw new SnapshotFileException("No space left on device");

        public void RemoveLeftovers()
        {
            // Nothing was written.
        }

        public void SetAside(SnapshotFile snapshot) => throw new InvalidOperationException("There is none.");
    }
}
