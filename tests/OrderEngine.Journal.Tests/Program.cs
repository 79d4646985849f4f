// The test assembly as a process of its own:
//   append DIR SEED              appends random batches until it is killed; prints each batch's last sequence once it is durable
//   measure DIR BATCHES BYTES    appends batches of one size, two in flight, and prints what a commit took
//   recover DIR                  opens and prints how long verification took
//   epoch SECONDS                lets two threads meet in FASTER's epoch and prints how many actions it lost (StallTests)

using System.Diagnostics;
using System.Globalization;

namespace OrderEngine.Journal.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["append", var directory, var seed]:
                await AppendUntilKilled(directory, int.Parse(seed, CultureInfo.InvariantCulture));
                return 0;
            case ["measure", var directory, var batches, var bytes]:
                await Measure(directory, int.Parse(batches, CultureInfo.InvariantCulture), int.Parse(bytes, CultureInfo.InvariantCulture));
                return 0;
            case ["recover", var directory]:
                await Recover(directory);
                return 0;
            case ["epoch", var seconds]:
                Console.WriteLine(StallTests.Meet(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))));
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>The content of a batch follows from its first sequence, so that the parent can check it.</summary>
    public static JournalBatch BatchAt(long first)
    {
        var random = new Random(unchecked((int)(first * 7919)));
        return Support.Batch(random, first - 1, random.Next(8) == 0 ? 1 + random.Next(Support.Small.MaxPayloadBytes) : 1 + random.Next(600));
    }

    private static async Task AppendUntilKilled(string directory, int seed)
    {
        var pause = new Random(seed);
        await using var journal = Support.Open(directory);
        var output = Console.OpenStandardOutput();
        var next = journal.LastSequence + 1;
        (Task Done, long Last)? before = null;
        while (true)
        {
            var batch = BatchAt(next);
            next = batch.LastSequence + 1;
            var append = (Done: journal.AppendAsync(batch).AsTask(), Last: batch.LastSequence);
            if (before is { } earlier) await Report(output, earlier);
            before = append;
            if (pause.Next(20) == 0)
            {
                await Report(output, append);
                before = null;
            }
        }
    }

    private static async Task Report(Stream output, (Task Done, long Last) append)
    {
        await append.Done;
        output.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{append.Last}\n")));
    }

    private static async Task Measure(string directory, int batches, int bytes)
    {
        await using var journal = Support.Open(directory, geometry: JournalGeometry.Standard);
        var payload = new byte[bytes];
        new Random(1).NextBytes(payload);
        await journal.AppendAsync(new JournalBatch(1, journal.LastSequence + 1, journal.LastSequence + 1, payload));
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var written = BytesWritten();
        var clock = Stopwatch.StartNew();
        ValueTask? before = null;
        var first = journal.LastSequence + 1;
        for (var sequence = first; sequence < first + batches; sequence++)
        {
            var append = journal.AppendAsync(new JournalBatch(1, sequence, sequence, payload));
            if (before is { } earlier) await earlier;
            before = append;
        }
        await before!.Value;
        var seconds = clock.Elapsed.TotalSeconds;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        written = BytesWritten() - written;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{batches} commits of {bytes} bytes in {seconds:0.000} s: {batches / seconds:0} commits/s, {batches / seconds * bytes / 1e6:0.0} MB/s, {allocated / batches} bytes allocated a commit, {(double)written / batches / bytes:0.00} bytes written a byte of payload"));
    }

    /// <summary>What this process has handed to write calls so far (Linux; elsewhere 0).</summary>
    private static long BytesWritten() => File.Exists("/proc/self/io")
        ? long.Parse(File.ReadLines("/proc/self/io").First(line => line.StartsWith("wchar:", StringComparison.Ordinal))[6..], CultureInfo.InvariantCulture)
        : 0;

    private static async Task Recover(string directory)
    {
        var clock = Stopwatch.StartNew();
        var bytes = 0L;
        await using var journal = FasterJournal.Open(new JournalOptions { Directory = directory }, 1, batch => bytes += batch.Payload.Length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{bytes} bytes of payload, up to sequence {journal.LastSequence}, in {clock.Elapsed.TotalSeconds:0.000} s"));
    }
}
