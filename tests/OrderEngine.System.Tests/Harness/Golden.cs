// The golden directory of the first format, for tests that need a past: what it holds happened on one day, the first of 2026.
using System.Formats.Tar;
using System.IO.Compression;

namespace OrderEngine.System.Tests.Harness;

internal static class Golden
{
    /// <summary>Unpacks it into a directory that is there and empty.</summary>
    public static void Unpack(string directory)
    {
        using var file = File.OpenRead(Path.Combine(Setting.Root, "tests", "golden", "format-1", "data.tar.gz"));
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(unzipped, directory, overwriteFiles: false);
    }
}
