// The API keys that are good now: read from their file at start, and again when it changes. Whoever has something open with a key that is
// gone or has changed is told through its Caller. Read by any thread; reloaded by a timer, one reload at a time.

using System.Collections.Frozen;
using OrderEngine.Access;

namespace OrderEngine.Server.Access;

/// <summary>Finds the caller behind an API key.</summary>
internal sealed class CredentialStore : IHostedService, IDisposable
{
    // What is compared when there is no such key, so that it takes as long as when there is one.
    private static readonly ApiKey Nobody = ApiKey.Create("nobody", null, Scopes.None, default, null).Key;

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Engine.Engine _engine;
    private readonly ClientShares _shares;
    private readonly ILogger<CredentialStore> _logger;
    private readonly Lock _loading = new();
    private FrozenDictionary<string, Entry> _entries = FrozenDictionary<string, Entry>.Empty;
    private (DateTime Written, long Length) _seen;
    private bool _isBroken;
    private ITimer? _timer;

    /// <param name="path">The file; it need not be there.</param>
    /// <param name="engine">Knows the channels.</param>
    /// <param name="shares">What each client may use.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="logger">For reloads.</param>
    /// <exception cref="ApiKeyFileException">The file is there and cannot be read.</exception>
    public CredentialStore(string path, Engine.Engine engine, ClientShares shares, TimeProvider time, ILogger<CredentialStore> logger)
    {
        (_path, _engine, _shares, _time, _logger) = (path, engine, shares, time, logger);
        _seen = Stamp();
        Take(ApiKeyFile.Read(path));
    }

    // Revoked: ends what the caller has open.
    private sealed record Entry(ApiKey Key, Caller Caller, CancellationTokenSource Revoked);

    /// <summary>The caller that shows this text; null: there is no such key, its secret is another one, or it is not good now.</summary>
    public Caller? Find(ReadOnlySpan<char> text)
    {
        Span<byte> secret = stackalloc byte[ApiKey.SecretBytes];
        if (!ApiKey.TryRead(text, out var id, secret)) return null;
        Volatile.Read(ref _entries).GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id, out var entry);
        var isHolder = (entry?.Key ?? Nobody).HasSecret(secret);
        return isHolder && entry is not null && entry.Key.IsValidAt(_time.GetUtcNow()) ? entry.Caller : null;
    }

    /// <summary>Looks at the file now, and takes it up if it has changed.</summary>
    public void Reload()
    {
        lock (_loading)
        {
            var stamp = Stamp();
            if (stamp == _seen && !_isBroken) return;
            try
            {
                var before = Volatile.Read(ref _entries);
                Take(ApiKeyFile.Read(_path));
                _seen = stamp;
                _isBroken = false;
                ServerLog.ApiKeysLoaded(_logger, _entries.Count, _path);
                foreach (var (id, old) in before)
                    if (!_entries.TryGetValue(id, out var now) || !ReferenceEquals(now.Caller, old.Caller)) old.Revoked.Cancel();
            }
            catch (ApiKeyFileException broken)
            {
                // What was good stays good: a slip of the pen must not lock everybody out. It is said once, and again when it is mended.
                if (!_isBroken) ServerLog.ApiKeysBroken(_logger, broken.Message);
                _isBroken = true;
            }
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = _time.CreateTimer(_ => Reload(), null, ServerLimits.CredentialPoll, ServerLimits.CredentialPoll);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private (DateTime, long) Stamp()
    {
        var file = new FileInfo(_path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    // A key that has not changed keeps its caller, and so what the caller has open.
    private void Take(IReadOnlyList<ApiKey> keys)
    {
        var before = _entries;
        var now = _time.GetUtcNow();
        var entries = new Dictionary<string, Entry>(keys.Count);
        foreach (var key in keys)
        {
            if (!key.IsValidAt(now)) continue;
            var same = before.TryGetValue(key.Id, out var old) && Same(old.Key, key);
            if (!entries.TryAdd(key.Id, same ? old! : Open(key)))
                throw new ApiKeyFileException($"'{_path}' has the key {key.Id} twice.");
        }
        Volatile.Write(ref _entries, entries.ToFrozenDictionary());
    }

    private Entry Open(ApiKey key)
    {
        var revoked = new CancellationTokenSource();
        var caller = new Caller(key.Name, key.Channel, key.Scopes, key.Expires, _engine.View.Reader, revoked.Token) { Share = _shares.Of(key.Name, key.Channel) };
        return new Entry(key, caller, revoked);
    }

    private static bool Same(ApiKey a, ApiKey b) =>
        a.Name == b.Name && a.Channel == b.Channel && a.Scopes == b.Scopes && a.Expires == b.Expires && a.SecretHash.AsSpan().SequenceEqual(b.SecretHash);
}
