// Proves: a data directory that a newer version wrote is refused, with a message that says so and the exit code of a refused start, and not a
// byte of it changes. The directory is the golden one of the first format, each part in turn given a later number, its checksums made good.
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class NewerFormatTests : IDisposable
{
    private const int RecoveryFailed = 80;
    private readonly string _data = Directory.CreateTempSubdirectory("orderengine-newer-").FullName;

    public NewerFormatTests() => Golden.Unpack(_data);

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public Task A_newer_journal_is_refused() => RefusedAsync("format 99", () =>
    {
        var path = Path.Combine(_data, "journal", "MANIFEST");
        var text = File.ReadAllText(path).Replace("format 1\n", "format 99\n", StringComparison.Ordinal);
        var body = text[..(text.LastIndexOf("\ncrc ", StringComparison.Ordinal) + 1)];
        File.WriteAllText(path, $"{body}crc {~Crc(uint.MaxValue, Encoding.ASCII.GetBytes(body)):x8}\n");
    });

    [Fact]
    public Task A_newer_snapshot_is_refused() => RefusedAsync("format 99", () =>
    {
        var path = Directory.EnumerateFiles(Path.Combine(_data, "snapshots")).Max(StringComparer.Ordinal)!;
        var bytes = File.ReadAllBytes(path);
        // The first block begins with the header record { 1: format, 2: sequence }.
        var format = bytes.AsSpan(36, 16).IndexOf<byte>([0x08, 0x01, 0x10]);
        Assert.True(format > 0);
        bytes[36 + format + 1] = 99;
        var before = bytes.AsSpan(24, 4);
        for (var at = 28; at < bytes.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            var crc = ~Crc(Crc(Crc(uint.MaxValue, before), bytes.AsSpan(at, 4)), bytes.AsSpan(at + 8, length));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 4), crc);
            before = bytes.AsSpan(at + 4, 4);
            at += 8 + length;
        }
        File.WriteAllBytes(path, bytes);
    });

    [Fact]
    public Task A_newer_key_ring_is_refused() => RefusedAsync("newer format", () =>
    {
        using var file = File.OpenHandle(Path.Combine(_data, "keys"), access: FileAccess.ReadWrite);
        RandomAccess.Write(file, "OER2"u8, 0);
    });

    private async Task RefusedAsync(string message, Action change)
    {
        change();
        var before = Contents();
        var ended = await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.ServerDll, "--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string?> { ["OrderEngine__DataDirectory"] = _data, ["OrderEngine__MetricsPort"] = "0" });
        var said = ended.Output + ended.Errors;
        Assert.True(ended.ExitCode == RecoveryFailed && said.Contains(message, StringComparison.Ordinal) && said.Contains("tart th", StringComparison.Ordinal), ended.ToString());
        Assert.Equal(before, Contents());
    }

    /// <summary>Every file but the lock, which says who looked last.</summary>
    private SortedDictionary<string, string> Contents()
    {
        var contents = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(_data, "*", SearchOption.AllDirectories))
            if (Path.GetFileName(path) != "lock") contents[path] = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
        return contents;
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes) crc = BitOperations.Crc32C(crc, one);
        return crc;
    }
}
