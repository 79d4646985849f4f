// The MANIFEST: what must not change during the life of a journal. Written once, last of all, when a journal is created.
// Text with a checksum in its last line; every later format keeps that line, so that damage and a newer format can be told apart.

using System.Globalization;
using System.Text;

namespace OrderEngine.Journal;

internal sealed record Manifest(int Format, Guid CreationId, int PageBits, int SegmentBits)
{
    public const int CurrentFormat = 1;

    private const string Title = "orderengine-journal";
    private const string Checksum = "crc32c-chain";
    private const int MaxBytes = 4096;

    public JournalGeometry Geometry => new(PageBits, SegmentBits);

    public byte[] Encode()
    {
        var body = string.Create(CultureInfo.InvariantCulture,
            $"{Title}\nformat {Format}\ncreation {CreationId:D}\npage-bits {PageBits}\nsegment-bits {SegmentBits}\nchecksum {Checksum}\n");
        return Encoding.ASCII.GetBytes(body + CrcLine(body));
    }

    private static string CrcLine(string body) =>
        string.Create(CultureInfo.InvariantCulture, $"crc {Crc32C.Of(Encoding.ASCII.GetBytes(body)):x8}\n");

    /// <exception cref="JournalException">Missing, damaged, or of a newer format.</exception>
    public static Manifest Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new JournalException($"'{path}' is missing although the journal's directory is there. " +
                "The journal cannot be read safely without it: restore the directory from a backup.");
        }
        if (new FileInfo(path).Length > MaxBytes) throw Damaged(path, "it is too long");
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
        var crcAt = text.LastIndexOf("\ncrc ", StringComparison.Ordinal) + 1;
        if (crcAt == 0 || text[crcAt..] != CrcLine(text[..crcAt])) throw Damaged(path, "its checksum does not match");
        var lines = text.Split('\n');
        if (lines[0] != Title) throw Damaged(path, "it is not a journal's manifest");

        var format = Number(path, lines, "format");
        if (format != CurrentFormat)
        {
            throw new JournalException($"'{path}' says format {format}, this program knows format {CurrentFormat}. " +
                "A newer version wrote the journal: start that version, or restore a backup made before the upgrade.");
        }
        if (Value(path, lines, "checksum") != Checksum) throw Damaged(path, "it names an unknown checksum");
        if (!Guid.TryParseExact(Value(path, lines, "creation"), "D", out var creation)) throw Damaged(path, "its creation id is unreadable");
        return new Manifest(format, creation, Number(path, lines, "page-bits"), Number(path, lines, "segment-bits"));
    }

    private static string Value(string path, string[] lines, string name)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith(name + " ", StringComparison.Ordinal)) return line[(name.Length + 1)..];
        }
        throw Damaged(path, $"it lacks '{name}'");
    }

    private static int Number(string path, string[] lines, string name) =>
        int.TryParse(Value(path, lines, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Damaged(path, $"'{name}' is not a number");

    private static JournalException Damaged(string path, string what) =>
        new($"'{path}' is damaged: {what}. Restore it from a backup of this data directory.");
}
