// Personal data at rest (rule 13): sealed with AES-256-GCM under a key of the key ring, one key a customer, one an order for guests.
// Sealed on a request's thread before the writer sees it; any thread.

using System.Security.Cryptography;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>Seals and unseals personal data. A sealed blob is 12 bytes nonce, the ciphertext, 16 bytes tag. Usable once the engine serves.</summary>
public sealed class PersonalVault
{
    /// <summary>Bytes of a blob beyond the plaintext.</summary>
    public const int Overhead = NonceBytes + TagBytes;

    /// <summary>The longest plaintext, bytes.</summary>
    public const int MaxPlaintext = Limits.SealedBytes - Overhead;

    private const int NonceBytes = 12, TagBytes = 16;

    // Customers whose key is not in the state yet, so that all that is sealed for one of them meanwhile gets the same key.
    private readonly Lock _sync = new();
    private readonly Dictionary<string, Task<long>> _pending = [];
    private readonly Queue<string> _pendingOrder = new();
    private readonly StateReader _reader;
    private readonly DiskWatch _disk;
    private readonly Action<JournalException> _whenKeysFail;
    private KeyRing? _keys;
    private long _shredded;

    /// <param name="reader">Knows the customers' keys.</param>
    /// <param name="disk">Knows whether new keys may be written.</param>
    /// <param name="whenKeysFail">Ends the process: a key ring that cannot be written any more is as final as the journal (rule 5).</param>
    internal PersonalVault(StateReader reader, DiskWatch disk, Action<JournalException> whenKeysFail)
    {
        _disk = disk;
        _reader = reader;
        _whenKeysFail = whenKeysFail;
    }

    /// <summary>False: the disk is low, and nothing should be sealed, since a new key may have to be written.</summary>
    public bool MaySeal => !_disk.IsLow;

    /// <summary>
    /// Seals a customer's data under the customer's key. The first key of a customer becomes the customer's for good with the event that
    /// carries it; until then every call for the same id gets the same one.
    /// </summary>
    /// <param name="customerId">The seller's id of the customer, not empty.</param>
    /// <param name="customerNumberOr0">The customer's number; 0 when there is none yet.</param>
    /// <param name="plaintext">At most <see cref="MaxPlaintext"/> bytes.</param>
    /// <exception cref="JournalException">Keys can no longer be written.</exception>
    public ValueTask<SealedData> SealForCustomerAsync(string customerId, int customerNumberOr0, ReadOnlyMemory<byte> plaintext)
    {
        ArgumentException.ThrowIfNullOrEmpty(customerId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintext.Length, MaxPlaintext, nameof(plaintext));
        var known = customerNumberOr0 == 0 ? 0 : _reader.CustomerKey(customerNumberOr0);
        // A pending key stays pending until it is crowded out: a caller that saw no key a moment ago must still find the same one.
        return known != 0 ? new ValueTask<SealedData>(Seal(known, plaintext.Span)) : SealUnder(PendingKey(customerId), plaintext);
    }

    /// <summary>Seals data of one guest order under a key of its own.</summary>
    /// <param name="plaintext">At most <see cref="MaxPlaintext"/> bytes.</param>
    /// <exception cref="JournalException">Keys can no longer be written.</exception>
    public ValueTask<SealedData> SealForGuestAsync(ReadOnlyMemory<byte> plaintext)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintext.Length, MaxPlaintext, nameof(plaintext));
        var key = TakeKeyAsync();
        return key.IsCompletedSuccessfully ? new ValueTask<SealedData>(Seal(key.Result, plaintext.Span)) : SealUnder(key.AsTask(), plaintext);
    }

    /// <summary>Unseals a blob; false when its key has been destroyed: the person was erased.</summary>
    /// <exception cref="CryptographicException">The blob is not what was sealed under this key.</exception>
    public bool TryUnseal(long key, ReadOnlySpan<byte> ciphertext, out byte[] plaintext)
    {
        plaintext = [];
        Span<byte> secret = stackalloc byte[KeyRing.KeySize];
        if (!Keys.TryGet(key, secret)) return false;
        if (ciphertext.Length < Overhead) throw new CryptographicException("A sealed blob is shorter than nonce and tag.");
        plaintext = new byte[ciphertext.Length - Overhead];
        using var aes = new AesGcm(secret, TagBytes);
        CryptographicOperations.ZeroMemory(secret);
        aes.Decrypt(ciphertext[..NonceBytes], ciphertext[NonceBytes..^TagBytes], ciphertext[^TagBytes..], plaintext);
        return true;
    }

    /// <summary>
    /// The keyed digest of a request's body (<see cref="SipHash"/> under the engine's secret): the journal keeps it, and without the key
    /// nobody can guess personal data from it.
    /// </summary>
    public UInt128 BodyDigest(ReadOnlySpan<byte> canonicalBody) => Core.BodyDigest.OfSipHash(SipHash.Of128(Keys.EngineSecret.Span, canonicalBody));

    /// <summary>Copies the stored keys, for a backup of them: bytes copied from <paramref name="offset"/> on, 0 at the end.</summary>
    /// <param name="offset">A multiple of 4096.</param>
    /// <param name="to">A multiple of 4096 bytes.</param>
    public int CopyKeys(long offset, Span<byte> to) => Keys.Copy(offset, to);

    /// <summary>A fresh key, for what an import brings.</summary>
    internal async ValueTask<long> TakeKeyAsync()
    {
        try
        {
            return await Keys.TakeAsync();
        }
        catch (JournalException exception)
        {
            _whenKeysFail(exception);
            throw;
        }
    }

    /// <summary>
    /// Destroys the keys of all erasures up to a sequence that is durable: for ever, and durable on return. At a start, and by the publisher before
    /// anybody is answered; one call at a time. Costs a look when there is nothing new.
    /// </summary>
    /// <exception cref="JournalException">A key could not be destroyed; final.</exception>
    internal void Shred(long durableSequence)
    {
        Span<byte> secret = stackalloc byte[KeyRing.KeySize];
        while (_shredded < _reader.LastErasure)
        {
            using (_reader.Enter())
            {
                if (!_reader.Erasure(_shredded + 1, durableSequence, out var erasure)) return;
                if (erasure.Key != 0 && Keys.TryGet(erasure.Key, secret)) Keys.Destroy(erasure.Key);
            }
            CryptographicOperations.ZeroMemory(secret);
            _shredded++;
        }
    }

    internal void Open(KeyRing keys) => _keys = keys;

    internal void Close() => _keys?.Dispose();

    private KeyRing Keys => _keys ?? throw new InvalidOperationException("The engine does not serve yet.");

    private Task<long> PendingKey(string customerId)
    {
        lock (_sync)
        {
            if (_pending.TryGetValue(customerId, out var key) && !key.IsFaulted) return key;
            while (_pendingOrder.Count >= EngineBounds.PendingCustomerKeys) _pending.Remove(_pendingOrder.Dequeue());
            _pendingOrder.Enqueue(customerId);
            return _pending[customerId] = TakeKeyAsync().AsTask();
        }
    }

    private async ValueTask<SealedData> SealUnder(Task<long> key, ReadOnlyMemory<byte> plaintext) => Seal(await key, plaintext.Span);

    /// <summary>
    /// Seals data under a key that is there already, as a later version of what it sealed before. Without ciphertext when the key was destroyed: the
    /// core refuses that, since it knew of the erasure before the key went.
    /// </summary>
    public SealedData Seal(long key, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> secret = stackalloc byte[KeyRing.KeySize];
        if (!Keys.TryGet(key, secret)) return new SealedData(key, []);
        var sealedBytes = new byte[plaintext.Length + Overhead];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(secret, TagBytes);
        CryptographicOperations.ZeroMemory(secret);
        aes.Encrypt(nonce, plaintext, sealedBytes.AsSpan(NonceBytes, plaintext.Length), sealedBytes.AsSpan(NonceBytes + plaintext.Length));
        return new SealedData(key, sealedBytes);
    }
}
