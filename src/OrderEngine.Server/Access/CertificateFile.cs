// The server's certificate as PEM files: read at start, and again when they change, so that a renewed one is used for the next handshake
// without a restart. Handshakes on any thread; reloaded by a timer.

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace OrderEngine.Server.Access;

/// <summary>Certificate, chain and key, and whom client certificates must come from.</summary>
internal sealed class CertificateFile : IDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly string? _clientCaPath;
    private readonly Lock _loading = new();
    private Loaded _loaded;
    private DateTime _written;
    private bool _isBroken;
    private ILogger? _logger;
    private ITimer? _timer;

    /// <param name="certificatePath">PEM: the certificate, then its chain; the key too unless <paramref name="keyPath"/> names another file.</param>
    /// <param name="keyPath">PEM: the key, not encrypted; null: in the same file.</param>
    /// <param name="clientCaPath">PEM: the authorities that client certificates must come from; null: clients need none.</param>
    /// <exception cref="InvalidOperationException">They cannot be read or do not belong together; the message says which.</exception>
    public CertificateFile(string certificatePath, string? keyPath, string? clientCaPath)
    {
        (_certificatePath, _keyPath, _clientCaPath) = (certificatePath, keyPath ?? certificatePath, clientCaPath);
        _written = Written();
        _loaded = Load();
    }

    private sealed record Loaded(X509Certificate2 Certificate, SslStreamCertificateContext Context, X509Certificate2Collection ClientRoots);

    /// <summary>When the certificate ends, UTC.</summary>
    public DateTime NotAfter => Volatile.Read(ref _loaded).Certificate.NotAfter.ToUniversalTime();

    /// <summary>Uses the files for every https endpoint.</summary>
    public void Configure(HttpsConnectionAdapterOptions https)
    {
        https.SslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13;
        // Kestrel wants one of its own kinds; what is sent is the context, which has the chain too.
        https.ServerCertificateSelector = (_, _) => Volatile.Read(ref _loaded).Certificate;
        https.OnAuthenticate = (_, ssl) =>
        {
            ssl.ServerCertificateSelectionCallback = null;
            ssl.ServerCertificateContext = Volatile.Read(ref _loaded).Context;
        };
        if (_clientCaPath is null) return;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.ClientCertificateValidation = (certificate, _, _) => IsFromAuthority(certificate);
    }

    /// <summary>Begins to look for changes.</summary>
    public void Watch(TimeProvider time, ILogger logger)
    {
        _logger = logger;
        _timer = time.CreateTimer(_ => Reload(), null, ServerLimits.CredentialPoll, ServerLimits.CredentialPoll);
    }

    /// <summary>Looks at the files now, and takes them up if they have changed.</summary>
    public void Reload()
    {
        lock (_loading)
        {
            try
            {
                var written = Written();
                if (written == _written && !_isBroken) return;
                Volatile.Write(ref _loaded, Load());
                _written = written;
                _isBroken = false;
                if (_logger is not null) ServerLog.CertificateLoaded(_logger, _certificatePath, NotAfter);
            }
            catch (Exception broken) when (broken is InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                // Certificate and key are two files: between the two writes they do not match. The old pair stays in use.
                if (!_isBroken && _logger is not null) ServerLog.CertificateBroken(_logger, broken.Message);
                _isBroken = true;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private bool IsFromAuthority(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Volatile.Read(ref _loaded).ClientRoots);
        // Lists of revoked certificates are not looked at: to shut a client out, revoke its API key.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return chain.Build(certificate);
    }

    private DateTime Written() =>
        new[] { _certificatePath, _keyPath, _clientCaPath }.Where(path => path is not null).Max(path => File.GetLastWriteTimeUtc(path!));

    private Loaded Load()
    {
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(_certificatePath, _keyPath);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificatePath);
            var roots = new X509Certificate2Collection();
            if (_clientCaPath is not null) roots.ImportFromPemFile(_clientCaPath);
            if (_clientCaPath is not null && roots.Count == 0) throw new InvalidOperationException($"'{_clientCaPath}' holds no certificate.");
            return new Loaded(certificate, SslStreamCertificateContext.Create(certificate, chain, offline: true), roots);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // ArgumentException: the key is another certificate's.
            throw new InvalidOperationException(
                $"The certificate '{_certificatePath}' with the key '{_keyPath}'{(_clientCaPath is null ? "" : $" and the authorities '{_clientCaPath}'")} cannot be used: {broken.Message}", broken);
        }
    }
}
