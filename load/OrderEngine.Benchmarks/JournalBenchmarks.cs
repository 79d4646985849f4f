// The journal: a batch appended and committed, flushed to the disk before the next. The directory is below the system's temporary one (TMPDIR):
// put that on the disk to be measured.

using BenchmarkDotNet.Attributes;
using OrderEngine.Journal;

namespace OrderEngine.Benchmarks;

/// <summary>Append and commit of the events of so many orders as one frame; each operation is a whole commit.</summary>
[MemoryDiagnoser]
public class JournalCommit
{
    private FasterJournal _journal = null!;
    private string _directory = "";
    private byte[] _payload = [];
    private long _last;

    /// <summary>Orders in a batch.</summary>
    [Params(1, 16, 256)]
    public int Orders { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var (core, events) = Benchmarks.Orders.Prepared();
        long now = 1_000_000;
        foreach (var command in Benchmarks.Orders.Submits(0, Orders)) core.Execute(command, now += 2, events);
        _payload = events.Written.ToArray();
        _directory = Directory.CreateTempSubdirectory("orderengine-benchmark-").FullName;
        _journal = FasterJournal.Open(new JournalOptions { Directory = _directory }, 1, _ => { });
        _last = 0;
    }

    // The journal counts frames and sums them up, and does not look into them: the same events will do.
    [Benchmark]
    public async Task AppendAndCommit()
    {
        var first = _last + 1;
        _last += Orders;
        await _journal.AppendAsync(new JournalBatch(1, first, _last, _payload));
    }

    [GlobalCleanup]
    public void Remove()
    {
        _journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }
}
