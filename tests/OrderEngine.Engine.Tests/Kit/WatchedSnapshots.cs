// A snapshot store for tests: in memory or around another, with a way to wait for writes, to hold one up and to make one fail.

using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

internal sealed class WatchedSnapshots(ISnapshotStore? inner = null) : ISnapshotStore
{
    private readonly Lock _sync = new();
    private readonly List<(SnapshotFile File, List<byte[]> Blocks)> _kept = [];
    private TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;

    /// <summary>Called on the snapshot's thread before each block.</summary>
    public Action<int>? BeforeBlock { get; set; }

    public IReadOnlyList<SnapshotFile> List()
    {
        if (inner is not null) return inner.List();
        lock (_sync) return [.. _kept.Select(kept => kept.File).OrderByDescending(file => file.Sequence)];
    }

    public void Read(SnapshotFile snapshot, Action<ReadOnlySpan<byte>> block)
    {
        if (inner is not null)
        {
            inner.Read(snapshot, block);
            return;
        }
        List<byte[]> blocks;
        lock (_sync) blocks = _kept.Single(kept => kept.File == snapshot).Blocks;
        foreach (var one in blocks) block(one);
    }

    public Stream Open(SnapshotFile snapshot) => inner?.Open(snapshot) ?? throw new NotSupportedException("These lie in no file.");

    public SnapshotFile Write(Func<Action<ReadOnlySpan<byte>>, long> walk)
    {
        var file = inner is not null ? inner.Write(add => walk(Watched(add))) : Keep(walk);
        lock (_sync)
        {
            _writes++;
            _written.SetResult();
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return file;
    }

    public void RemoveLeftovers() => inner?.RemoveLeftovers();

    public void SetAside(SnapshotFile snapshot) => inner?.SetAside(snapshot);

    /// <summary>Completes when so many snapshots have been written in all; fails when that takes too long to come true.</summary>
    public async Task WhenWritten(int count)
    {
        while (true)
        {
            Task next;
            lock (_sync)
            {
                if (_writes >= count) return;
                next = _written.Task;
            }
            await next.WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    private SnapshotFile Keep(Func<Action<ReadOnlySpan<byte>>, long> walk)
    {
        var blocks = new List<byte[]>();
        var sequence = walk(Watched(block => blocks.Add(block.ToArray())));
        var file = new SnapshotFile($"snapshot {sequence}", sequence, blocks.Sum(block => block.Length));
        lock (_sync)
        {
            _kept.Add((file, blocks));
            if (_kept.Count > ISnapshotStore.Kept) _kept.RemoveAt(0);
        }
        return file;
    }

    private Action<ReadOnlySpan<byte>> Watched(Action<ReadOnlySpan<byte>> add)
    {
        var number = 0;
        return block =>
        {
            BeforeBlock?.Invoke(number++);
            add(block);
        };
    }
}
