// Tokens of an identity provider: issuer, audience and algorithm are pinned by the settings, the keys come from a JWKS file or URL and are
// looked at again from time to time. What a token says in the claims sub, scope and channel makes its Caller. Any thread.

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrderEngine.Access;

namespace OrderEngine.Server.Access;

/// <summary>What tokens must be like.</summary>
/// <param name="Issuer">The claim iss.</param>
/// <param name="Audience">One of the claim aud.</param>
/// <param name="Algorithm">The one algorithm.</param>
/// <param name="Keys">A JWKS file, or an https URL of one.</param>
/// <param name="KeysCa">The authorities whose certificate that URL must show, PEM; null: those that this machine trusts.</param>
internal sealed record JwtSettings(string Issuer, string Audience, string Algorithm, string Keys, string? KeysCa)
{
    /// <summary>Algorithms with a public key; a shared secret would let the engine make tokens.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>True: the keys come over the network.</summary>
    public bool IsUrl => Keys.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Finds the caller behind a token.</summary>
internal sealed class JwtTokens : IHostedService, IDisposable
{
    private const string ChannelClaim = "channel";
    private const string AllChannels = "*";
    private const int MostKeysBytes = 1024 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private readonly JwtSettings _settings;
    private readonly Engine.Engine _engine;
    private readonly ClientShares _shares;
    private readonly TimeProvider _time;
    private readonly ILogger<JwtTokens> _logger;
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = 16 * 1024 };
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _loading = new(1);
    private Dictionary<string, Key> _keys = [];
    private DateTime _written;
    private bool _isBroken;
    private ITimer? _timer;

    /// <param name="settings">What tokens must be like.</param>
    /// <param name="engine">Knows the channels.</param>
    /// <param name="shares">What each client may use.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="logger">For reloads.</param>
    public JwtTokens(JwtSettings settings, Engine.Engine engine, ClientShares shares, TimeProvider time, ILogger<JwtTokens> logger)
    {
        (_settings, _engine, _shares, _time, _logger) = (settings, engine, shares, time, logger);
        // A redirection could lead out of TLS.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        if (settings.KeysCa is { } path)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(path);
            }
            catch (CryptographicException broken)
            {
                throw new FormatException($"'{path}' ({ServerOptions.Section}:{nameof(ServerOptions.JwtKeysCa)}) holds what is no certificate: {broken.Message}", broken);
            }
            if (policy.CustomTrustStore.Count == 0) throw new FormatException($"'{path}' ({ServerOptions.Section}:{nameof(ServerOptions.JwtKeysCa)}) holds no certificate in PEM.");
            handler.SslOptions.CertificateChainPolicy = policy;
        }
        _http = new HttpClient(handler) { Timeout = ServerLimits.JwksTimeout, MaxResponseContentBufferSize = MostKeysBytes };
    }

    // Ends what was opened with tokens of a key that is gone.
    private sealed record Key(JsonWebKey Web, CancellationTokenSource Gone);

    /// <summary>The caller that shows this token; null: it is not one of ours, or not good now.</summary>
    public async ValueTask<Caller?> FindAsync(string token)
    {
        var keys = Volatile.Read(ref _keys);
        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _settings.Issuer, ValidAudience = _settings.Audience, ValidAlgorithms = [_settings.Algorithm],
            IssuerSigningKeys = keys.Values.Select(key => key.Web), TryAllIssuerSigningKeys = false,
            RequireSignedTokens = true, RequireExpirationTime = true, LifetimeValidator = IsAlive, ValidateTokenReplay = false,
        });
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || !keys.TryGetValue(jwt.Kid ?? "", out var key)) return null;
        if (ApiKey.Problem(jwt.Subject ?? "") is not null || !jwt.TryGetPayloadValue<string>(ChannelClaim, out var channel)) return null;
        var scopes = ScopesOf(jwt);
        if (channel == AllChannels) channel = null;
        else scopes &= ~ScopeNames.Shared;
        return new Caller(jwt.Subject!, channel, scopes, new DateTimeOffset(jwt.ValidTo) + Skew, _engine.View.Reader, key.Gone.Token)
        {
            Share = _shares.Of(jwt.Subject!, channel),
        };
    }

    /// <summary>Reads the keys again, if they may have changed.</summary>
    public async Task ReloadAsync()
    {
        await _loading.WaitAsync();
        try
        {
            var written = _settings.IsUrl ? default : File.GetLastWriteTimeUtc(_settings.Keys);
            if (!_settings.IsUrl && written == _written && !_isBroken) return;
            var text = _settings.IsUrl ? await _http.GetStringAsync(new Uri(_settings.Keys)) : await File.ReadAllTextAsync(_settings.Keys);
            Take(new JsonWebKeySet(text));
            _written = written;
            _isBroken = false;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or HttpRequestException or OperationCanceledException or ArgumentException or System.Text.Json.JsonException)
        {
            if (!_isBroken) ServerLog.JwtKeysBroken(_logger, _settings.Keys, broken.Message);
            _isBroken = true;
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReloadAsync();
        var period = _settings.IsUrl ? ServerLimits.JwksPoll : ServerLimits.CredentialPoll;
        _timer = _time.CreateTimer(_ => _ = ReloadAsync(), null, period, period);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _http.Dispose();
    }

    // Another key under the same id is another key. Keys of other kinds are for others: an issuer may publish some that nobody here can read.
    private void Take(JsonWebKeySet set)
    {
        var before = _keys;
        var keys = new Dictionary<string, Key>();
        var kind = _settings.Algorithm.StartsWith("ES", StringComparison.Ordinal) ? JsonWebAlgorithmsKeyTypes.EllipticCurve : JsonWebAlgorithmsKeyTypes.RSA;
        foreach (var web in set.Keys)
        {
            if (web.HasPrivateKey || string.IsNullOrEmpty(web.Kid) || web.Use is not (null or "" or "sig") || web.Kty != kind || !web.CanComputeJwkThumbprint()) continue;
            keys[web.Kid] = before.TryGetValue(web.Kid, out var old) && old.Web.ComputeJwkThumbprint().AsSpan().SequenceEqual(web.ComputeJwkThumbprint())
                ? old : new Key(web, new CancellationTokenSource());
        }
        if (keys.Count == 0) throw new ArgumentException("it holds no public signing key with a kid.");
        Volatile.Write(ref _keys, keys);
        ServerLog.JwtKeysLoaded(_logger, keys.Count, _settings.Keys);
        foreach (var (id, old) in before)
            if (!keys.TryGetValue(id, out var now) || !ReferenceEquals(now, old)) old.Gone.Cancel();
    }

    private bool IsAlive(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return expires is { } end && now < end + Skew && (notBefore is not { } start || now >= start - Skew);
    }

    // "scope" is a list by spaces (RFC 8693); some providers say "scp", some as an array. Names that are not ours are for others.
    private static Scopes ScopesOf(JsonWebToken token)
    {
        var scopes = Scopes.None;
        foreach (var claim in token.Claims)
        {
            if (claim.Type is not ("scope" or "scp")) continue;
            foreach (var name in claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                if (ScopeNames.TryParse(name, out var scope)) scopes |= scope;
        }
        return scopes;
    }
}
