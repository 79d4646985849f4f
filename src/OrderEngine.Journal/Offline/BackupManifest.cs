// The file BACKUP: what a backup holds. Written last, after everything else was read back and found good: a directory without it is no backup.
// Text with a checksum in its last line, as the journal's MANIFEST.

using System.Globalization;
using System.Text;

namespace OrderEngine.Journal.Offline;

/// <summary>What a backup holds.</summary>
/// <param name="CreationId">Of the journal that was backed up.</param>
/// <param name="FirstSequence">The first sequence whose events are in it.</param>
/// <param name="LastSequence">The last one: the backup is the state there.</param>
/// <param name="StateHash">Of the state at <paramref name="LastSequence"/>, as in GetEngineStatus.</param>
/// <param name="HighestKey">The highest number of a key that anything in it is sealed under; 0: none.</param>
/// <param name="Taken">When, UTC.</param>
/// <param name="Files">Every file but this one.</param>
public sealed record BackupManifest(
    Guid CreationId, long FirstSequence, long LastSequence, string StateHash, long HighestKey, DateTime Taken, IReadOnlyList<BackupFile> Files)
{
    /// <summary>Of the directory.</summary>
    public const int CurrentFormat = 1;

    internal const string FileName = "BACKUP";
    private const string Title = "orderengine-backup";

    internal byte[] Encode()
    {
        var body = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"{Title}\nformat {CurrentFormat}\ncreation {CreationId:D}\nfirst {FirstSequence}\nlast {LastSequence}\nstate-hash {StateHash}\nhighest-key {HighestKey}\ntaken {Taken:yyyy-MM-ddTHH:mm:ssZ}\n");
        foreach (var file in Files) body.Append(CultureInfo.InvariantCulture, $"file {file.Crc:x8} {file.Bytes} {file.Name}\n");
        return Encoding.ASCII.GetBytes(body + CrcLine(body.ToString()));
    }

    private static string CrcLine(string body) => string.Create(CultureInfo.InvariantCulture, $"crc {Crc32C.Of(Encoding.ASCII.GetBytes(body)):x8}\n");

    /// <exception cref="JournalException">Missing, damaged or newer.</exception>
    internal static BackupManifest Load(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            throw new JournalException($"'{directory}' is no backup, or one that was never finished: '{path}' is not there. Use another one.");
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(path));
        var crcAt = text.LastIndexOf("\ncrc ", StringComparison.Ordinal) + 1;
        if (crcAt == 0 || text[crcAt..] != CrcLine(text[..crcAt])) throw Damaged(path, "its checksum does not match");
        var lines = text.Split('\n');
        string Value(string name) => lines.FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal))?[(name.Length + 1)..] ?? throw Damaged(path, $"it lacks '{name}'");
        if (lines[0] != Title) throw Damaged(path, "it is not a backup's manifest");
        if (Value("format") != CurrentFormat.ToString(CultureInfo.InvariantCulture))
            throw new JournalException($"'{path}' says format {Value("format")}, this program knows format {CurrentFormat}: a newer version made the backup. Restore with that version.");
        try
        {
            return new BackupManifest(Guid.ParseExact(Value("creation"), "D"), Number(Value("first")), Number(Value("last")), Value("state-hash"), Number(Value("highest-key")),
                DateTime.Parse(Value("taken"), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal),
                [.. lines.Where(line => line.StartsWith("file ", StringComparison.Ordinal)).Select(line => line.Split(' ', 4)).Select(part =>
                    new BackupFile(part[3], Number(part[2]), uint.Parse(part[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)))]);
        }
        catch (Exception error) when (error is FormatException or OverflowException or IndexOutOfRangeException)
        {
            throw Damaged(path, error.Message);
        }
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static JournalException Damaged(string path, string what) => new($"'{path}' is damaged: {what}. Use another backup.");
}

/// <summary>A file of a backup.</summary>
/// <param name="Name">Within the backup.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Crc">CRC-32C of all of it.</param>
public sealed record BackupFile(string Name, long Bytes, uint Crc);
