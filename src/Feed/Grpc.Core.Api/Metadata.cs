// Headers and trailers of a call, with the protocol's rules for keys and values checked when an entry is made.
// Not thread-safe: one thread builds it, and nobody changes it once a call has it. Entries are immutable.

using System.Buffers;
using System.Collections;
using System.Text;

namespace Grpc.Core;

/// <summary>The headers or trailers of a call, in order; a key may occur more than once.</summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    /// <summary>A key that ends in this holds bytes (base64 on the wire); any other holds printable ASCII.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>No entries, for ever.</summary>
    public static readonly Metadata Empty = new(readOnly: true);

    private readonly List<Entry> _entries = [];

    /// <summary>An empty list that can be added to.</summary>
    public Metadata() { }

    private Metadata(bool readOnly) => IsReadOnly = readOnly;

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Whether every change is refused with <see cref="InvalidOperationException"/>.</summary>
    public bool IsReadOnly { get; }

    /// <summary>The entry at a position.</summary>
    public Entry this[int index]
    {
        get => _entries[index];
        set => Changeable(value)[index] = value;
    }

    /// <summary>The last entry with this (lower-case) key, or null.</summary>
    public Entry? Get(string key) => _entries.FindLast(e => e.Key == key);

    /// <summary>The text of the last entry with this key, or null.</summary>
    /// <exception cref="InvalidOperationException">The entry holds bytes.</exception>
    public string? GetValue(string key) => Get(key)?.Value;

    /// <summary>A copy of the bytes of the last entry with this key, or null.</summary>
    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    /// <summary>All entries with this key, in order.</summary>
    public IEnumerable<Entry> GetAll(string key) => _entries.Where(e => e.Key == key);

    /// <summary>Adds a text. Errors as of <see cref="Entry(string, string)"/>.</summary>
    public void Add(string key, string value) => Add(new Entry(key, value));

    /// <summary>Adds bytes. Errors as of <see cref="Entry(string, byte[])"/>.</summary>
    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    /// <summary>Adds an entry at the end.</summary>
    public void Add(Entry item) => Changeable(item).Add(item);

    /// <summary>Inserts an entry before a position.</summary>
    public void Insert(int index, Entry item) => Changeable(item).Insert(index, item);

    /// <summary>Removes the entry at a position.</summary>
    public void RemoveAt(int index) => Changeable().RemoveAt(index);

    /// <summary>Removes this very entry; false when it is not there.</summary>
    public bool Remove(Entry item) => Changeable().Remove(item);

    /// <summary>Removes all entries.</summary>
    public void Clear() => Changeable().Clear();

    /// <summary>The position of this very entry, or -1.</summary>
    public int IndexOf(Entry item) => _entries.IndexOf(item);

    /// <summary>Whether this very entry is there.</summary>
    public bool Contains(Entry item) => _entries.Contains(item);

    /// <summary>Copies all entries into an array.</summary>
    public void CopyTo(Entry[] array, int arrayIndex) => _entries.CopyTo(array, arrayIndex);

    /// <summary>Enumerates the entries in order.</summary>
    public IEnumerator<Entry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _entries.GetEnumerator();

    private List<Entry> Changeable(Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Changeable();
    }

    private List<Entry> Changeable() =>
        IsReadOnly ? throw new InvalidOperationException("This metadata is shared and cannot be changed.") : _entries;

    /// <summary>One key and its value. The bytes are copied on the way in and on the way out.</summary>
    public sealed class Entry
    {
        private static readonly SearchValues<char> KeyCharacters =
            SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

        private readonly string? _text;
        private readonly byte[]? _bytes;

        /// <summary>An entry that holds bytes.</summary>
        /// <exception cref="ArgumentException">The key is empty, has a character that keys may not have, or does not end in
        /// <see cref="BinaryHeaderSuffix"/>.</exception>
        /// <exception cref="ArgumentNullException">Key or value is null.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            Key = CheckedKey(key);
            if (!IsBinary)
                throw new ArgumentException($"Bytes need a key that ends in \"{BinaryHeaderSuffix}\".", nameof(key));
            ArgumentNullException.ThrowIfNull(valueBytes);
            _bytes = [.. valueBytes];
        }

        /// <summary>An entry that holds text.</summary>
        /// <exception cref="ArgumentException">The key is empty, has a character that keys may not have, or ends in
        /// <see cref="BinaryHeaderSuffix"/>; or the value has a character outside U+0020 to U+007E.</exception>
        /// <exception cref="ArgumentNullException">Key or value is null.</exception>
        public Entry(string key, string value)
        {
            Key = CheckedKey(key);
            if (IsBinary)
                throw new ArgumentException($"A key that ends in \"{BinaryHeaderSuffix}\" holds bytes, not text.", nameof(key));
            ArgumentNullException.ThrowIfNull(value);
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                throw new ArgumentException($"The value of \"{Key}\" is not printable ASCII; send it under a \"-bin\" key.", nameof(value));
            _text = value;
        }

        /// <summary>The key, in lower case.</summary>
        public string Key { get; }

        /// <summary>Whether the entry holds bytes.</summary>
        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <summary>The bytes of a binary entry, the ASCII bytes of a text; a new array each time.</summary>
        public byte[] ValueBytes => _bytes is null ? Encoding.ASCII.GetBytes(_text!) : [.. _bytes];

        /// <summary>The text.</summary>
        /// <exception cref="InvalidOperationException">The entry holds bytes.</exception>
        public string Value => _text ?? throw new InvalidOperationException($"\"{Key}\" holds bytes, not text.");

        /// <summary>Key and value in one line, bytes as base64.</summary>
        public override string ToString() => $"{Key}: {_text ?? Convert.ToBase64String(_bytes!)}";

        // Capitals are folded, not refused: HTTP/2 knows lower-case names only and callers write "Authorization". Checked
        // first, folded then: the Kelvin sign folds to a plain k.
        private static string CheckedKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            if (key.Length == 0 || key.AsSpan().ContainsAnyExcept(KeyCharacters))
                throw new ArgumentException($"\"{key}\" is not a key: only a-z, 0-9, '-', '_' and '.' may occur.", nameof(key));
            return key.ToLowerInvariant();
        }
    }
}
