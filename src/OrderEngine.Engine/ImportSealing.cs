// Personal data of an import. The export's key numbers mean nothing here, or worse: another person's key. So what came decrypted is sealed
// anew, one new key for each old one, and what cannot be read is left out. Nor do digests of bodies mean anything here: they are keyed by the
// exporting engine's secret. They are left out, and a request id that was imported without one answers whoever sends it again.
// On the importing caller's thread.

using OrderEngine.Core.Events;

namespace OrderEngine.Engine;

internal sealed class ImportSealing(PersonalVault vault)
{
    // orderengine.journal.Sealed.
    private const int KeyField = 1, CiphertextField = 2, PlaintextField = 15;
    // orderengine.journal.Event and Origin.
    private const int OriginField = 3, BodyDigestField = 2;

    private readonly Dictionary<long, long> _newKeys = [];
    private readonly EventBuffer _buffer = new();

    /// <summary>The events with their personal data under keys of this engine and without digests; those that have neither are the same objects.</summary>
    /// <exception cref="ImportSealingException">An event's personal data is malformed or too long.</exception>
    public async Task<IReadOnlyList<byte[]>> ResealAsync(IReadOnlyList<byte[]> events)
    {
        var resealed = new byte[events.Count][];
        for (var i = 0; i < events.Count; i++)
        {
            try
            {
                var personal = Personal(events[i]);
                foreach (var (oldKey, length) in personal)
                {
                    if (length > PersonalVault.MaxPlaintext) throw new FormatException($"Its personal data has {length} bytes; at most {PersonalVault.MaxPlaintext} are allowed.");
                    if (length > 0 && oldKey == 0) throw new FormatException("Its personal data names no key, so nobody could ever erase it.");
                    if (length > 0 && !_newKeys.ContainsKey(oldKey)) _newKeys[oldKey] = await vault.TakeKeyAsync();
                }
                resealed[i] = personal.Count == 0 && !NeedsRewriting(events[i]) ? events[i] : Rewrite(events[i]);
            }
            catch (Exception exception) when (exception is FormatException or OverflowException)
            {
                throw new ImportSealingException(i, exception.Message);
            }
        }
        return resealed;
    }

    /// <summary>Keys and plaintext lengths of an event's personal data.</summary>
    private static List<(long Key, int Length)> Personal(ReadOnlySpan<byte> encoded)
    {
        var found = new List<(long, int)>();
        var e = new EventView(encoded);
        if (!PersonalFields.MayHold(e.Kind)) return found;
        var body = new ProtoReader(e.Body);
        while (body.Next(out var field, out var wireType))
        {
            if (!PersonalFields.IsSealed(e.Kind, field))
            {
                body.Skip(wireType);
                continue;
            }
            Read(body.Bytes(), out var key, out var plaintext);
            found.Add((key, plaintext.Length));
        }
        return found;
    }

    private static bool NeedsRewriting(ReadOnlySpan<byte> encoded)
    {
        var e = new EventView(encoded);
        return e.BodyDigest != 0 || e.Kind is EventKind.CustomerErased or EventKind.OrderErased;
    }

    private byte[] Rewrite(ReadOnlySpan<byte> encoded)
    {
        var kind = new EventView(encoded).Kind;
        _buffer.Truncate(0);
        var reader = new ProtoReader(encoded);
        for (var start = 0; reader.Next(out var field, out var wireType); start = reader.Position)
        {
            if (field == OriginField)
            {
                var nested = _buffer.BeginNested(field);
                RewriteOrigin(reader.Bytes());
                _buffer.EndNested(nested);
                continue;
            }
            if (field == (int)kind && (PersonalFields.MayHold(kind) || kind is EventKind.CustomerErased or EventKind.OrderErased))
            {
                var nested = _buffer.BeginNested(field);
                RewriteBody(kind, reader.Bytes());
                _buffer.EndNested(nested);
                continue;
            }
            reader.Skip(wireType);
            _buffer.Raw(encoded[start..reader.Position]);
        }
        return _buffer.Written.ToArray();
    }

    private void RewriteOrigin(ReadOnlySpan<byte> origin)
    {
        var reader = new ProtoReader(origin);
        for (var start = 0; reader.Next(out var field, out var wireType); start = reader.Position)
        {
            reader.Skip(wireType);
            if (field != BodyDigestField) _buffer.Raw(origin[start..reader.Position]);
        }
    }

    private void RewriteBody(EventKind kind, ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        for (var start = 0; reader.Next(out var field, out var wireType); start = reader.Position)
        {
            if (!PersonalFields.IsSealed(kind, field))
            {
                reader.Skip(wireType);
                // The keys of the exporting engine: what they opened is gone there, and did not come along.
                if (!PersonalFields.IsKey(kind, field)) _buffer.Raw(body[start..reader.Position]);
                continue;
            }
            Read(reader.Bytes(), out var oldKey, out var plaintext);
            if (plaintext.IsEmpty) continue;
            var data = vault.Seal(_newKeys[oldKey], plaintext);
            var nested = _buffer.BeginNested(field);
            _buffer.Number(KeyField, data.Key);
            _buffer.Bytes(CiphertextField, data.Ciphertext);
            _buffer.EndNested(nested);
        }
    }

    private static void Read(ReadOnlySpan<byte> sealedData, out long key, out ReadOnlySpan<byte> plaintext)
    {
        key = 0;
        plaintext = default;
        var reader = new ProtoReader(sealedData);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == KeyField) key = reader.Long();
            else if (field == PlaintextField) plaintext = reader.Bytes();
            else reader.Skip(wireType);
        }
    }
}

/// <summary>An imported event's personal data cannot be taken over.</summary>
internal sealed class ImportSealingException(int eventIndex, string message) : Exception(message)
{
    public int EventIndex { get; } = eventIndex;
}
