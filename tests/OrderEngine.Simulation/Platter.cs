// What lies on the disk while no process runs: copies of it, and damage at rest.

namespace OrderEngine.Simulation;

internal sealed class Platter(Choices choices, FaultCount faults, Trace trace, string root)
{
    private const int Block = 4096;
    private Dictionary<string, byte[]> _earlier = [];

    public Dictionary<string, byte[]> Copy() => Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(file) != "lock")
        .ToDictionary(file => file, File.ReadAllBytes, StringComparer.Ordinal);

    /// <summary>Keeps what there is now, for blocks that go stale later.</summary>
    public void Remember() => _earlier = Copy();

    public void Restore(Dictionary<string, byte[]> copy)
    {
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
            if (!copy.ContainsKey(file)) File.Delete(file);
        foreach (var (file, bytes) in copy)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, bytes);
        }
    }

    /// <summary>Damages one file, and says which.</summary>
    public string Damage(Dictionary<string, byte[]> whole)
    {
        var files = whole.Keys.Where(file => whole[file].Length > 0).Order(StringComparer.Ordinal).ToArray();
        var path = files[choices.Next(files.Length)];
        var bytes = (byte[])whole[path].Clone();
        // Mostly where something is written: the rest of a segment is zeros.
        var used = Math.Min(bytes.Length, (Array.FindLastIndex(bytes, b => b != 0) / Block + 1) * Block);
        var at = choices.Next(4) == 3 ? choices.Next(bytes.Length) : choices.Next(used);
        var block = at / Block * Block;
        var end = Math.Min(block + Block, bytes.Length);
        var fault = (Fault)((int)Fault.BitFlip + choices.Weighted([6, 3, 3, 1, 1]));
        switch (fault)
        {
            case Fault.BitFlip: bytes[at] ^= (byte)(1 << choices.Next(8)); break;
            case Fault.ZeroedBlock: bytes.AsSpan(block..end).Clear(); break;
            case Fault.StaleBlock:
                if (_earlier.TryGetValue(path, out var old) && old.Length > block) old.AsSpan(block..Math.Min(end, old.Length)).CopyTo(bytes.AsSpan(block));
                break;
            case Fault.CutFile: bytes = bytes[..at]; break;
        }
        faults.Fired(fault);
        trace.Line($"DAMAGE {fault} {Path.GetRelativePath(root, path)} {at}");
        if (fault == Fault.MissingFile) File.Delete(path);
        else File.WriteAllBytes(path, bytes);
        return path;
    }
}
