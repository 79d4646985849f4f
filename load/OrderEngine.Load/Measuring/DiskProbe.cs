// How long this disk takes to make a small write durable: what no durable answer can be faster than.

using System.Diagnostics;

namespace OrderEngine.Load.Measuring;

/// <summary>Times write and flush of 4 KiB, one after another.</summary>
public static class DiskProbe
{
    private const int Flushes = 300;
    private const int Bytes = 4_096;

    /// <summary>Writes and flushes in <paramref name="directory"/>; about a quarter of a second on an SSD.</summary>
    public static LatencyHistogram Measure(string directory)
    {
        var histogram = new LatencyHistogram();
        var path = Path.Combine(directory, $"flush-probe-{Guid.NewGuid():N}");
        var block = new byte[Bytes];
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        // Written once before: what is timed is overwriting, as of a preallocated journal.
        file.SetLength(Flushes * Bytes);
        for (var i = 0; i < Flushes; i++) file.Write(block);
        file.Flush(flushToDisk: true);
        file.Position = 0;
        for (var i = 0; i < Flushes; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            file.Write(block);
            file.Flush(flushToDisk: true);
            histogram.Record((long)Stopwatch.GetElapsedTime(begun).TotalNanoseconds);
        }
        return histogram;
    }
}
