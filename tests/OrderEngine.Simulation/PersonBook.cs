// The auditor's book of persons: what was sealed of whom under which key, and which keys an erasure has named. Reads the file of keys by its layout
// (docs/JOURNAL.md), with no code of the engine's.

using System.Text;
using OrderEngine.Contracts.Journal;

namespace OrderEngine.Simulation;

internal sealed class PersonBook
{
    private const int Header = 4_096, Slot = 64, SecretStart = 24, SecretBytes = 32;
    private readonly SortedDictionary<long, (byte[] Ciphertext, byte[] Words)> _sealed = [];
    private readonly SortedDictionary<long, byte[]> _secrets = [];
    private readonly SortedSet<long> _erased = [];
    private readonly Queue<long> _unread = new();

    /// <summary>Keys that are gone.</summary>
    public int Erasures => _erased.Count;

    /// <summary>A durable event.</summary>
    public void Add(Event e)
    {
        if (e.OrderSubmitted?.Delivery is { } delivery)
        {
            _unread.Enqueue((long)delivery.Key);
            _sealed[(long)delivery.Key] = (delivery.Ciphertext.ToByteArray(), Encoding.UTF8.GetBytes(Auditor.PersonOf(e.OrderSubmitted.ExternalOrderId)));
        }
        if (e.OrderErased is { } erased) _erased.UnionWith(erased.Keys.Select(key => (long)key));
    }

    /// <summary>Whether an answer says that somebody was erased.</summary>
    public bool Erased(ReadOnlySpan<byte> answer) => answer.Length > 0 && Event.Parser.ParseFrom(answer).OrderErased is { Keys.Count: > 0 };

    /// <summary>Reads the keys of those that it has heard of since, to know them again after they are gone.</summary>
    /// <param name="root">The data directory.</param>
    public void ReadSecrets(string root)
    {
        if (_unread.Count == 0) return;
        using var file = new FileStream(Path.Combine(root, "keys"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        while (_unread.TryDequeue(out var key))
        {
            var secret = new byte[SecretBytes];
            file.Position = Header + key * Slot + SecretStart;
            file.ReadExactly(secret);
            // One that is gone already is all zeros, which is in every file.
            if (secret.AsSpan().ContainsAnyExcept((byte)0)) _secrets[key] = secret;
        }
    }

    /// <summary>Looks everywhere.</summary>
    /// <param name="root">The data directory.</param>
    /// <param name="unseal">What the engine reads; null: it cannot.</param>
    public void Check(string root, Func<long, byte[], byte[]?> unseal)
    {
        foreach (var (key, (ciphertext, words)) in _sealed)
        {
            var read = unseal(key, ciphertext);
            if (_erased.Contains(key))
            {
                if (read is not null) throw new BrokenPromiseException("an erased person came back", $"key {key}");
            }
            else if (read is null || !read.AsSpan().SequenceEqual(words))
            {
                throw new BrokenPromiseException("a person was lost whom nobody erased", $"key {key}");
            }
        }
        if (_erased.Count == 0) return;
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            var bytes = Read(file);
            foreach (var (key, (_, words)) in _sealed)
            {
                if (bytes.AsSpan().IndexOf(words) >= 0) throw new BrokenPromiseException("a file tells of a person", $"{Path.GetFileName(file)}, key {key}");
                if (_erased.Contains(key) && _secrets.TryGetValue(key, out var secret) && bytes.AsSpan().IndexOf(secret) >= 0)
                    throw new BrokenPromiseException("a file holds an erased key", $"{Path.GetFileName(file)}, key {key}");
            }
        }
    }

    private static byte[] Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
