// Owns how a connection is made: the address, TLS with whom to trust and what to show, and how a dead one is noticed. Any thread.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace OrderEngine.Client;

internal static class Connection
{
    // A dead connection is noticed within the sum of the two, also when nothing is being said.
    private static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(10);

    // While an engine restarts, a channel must not wait longer than our own backoff before it dials again.
    private static readonly TimeSpan LongestDialDelay = TimeSpan.FromSeconds(1);

    /// <summary>A channel to an address; dials on the first call.</summary>
    /// <exception cref="ArgumentException">It is no address, or a credential would travel in the clear.</exception>
    public static GrpcChannel Open(string address, OrderEngineClientOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is not an address: give http://host:port or https://host:port.", nameof(address));
        if (options is { Credential: not null, AllowPlaintext: false } && uri.Scheme == "http" && !uri.IsLoopback)
            throw new ArgumentException($"A credential would travel in the clear to '{address}': use https, or AllowPlaintext.", nameof(options));
        return GrpcChannel.ForAddress(uri, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = KeepAliveDelay,
                KeepAlivePingTimeout = KeepAliveTimeout,
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                ConnectTimeout = KeepAliveTimeout,
                SslOptions = Tls(options),
            },
            InitialReconnectBackoff = LongestDialDelay / 10,
            MaxReconnectBackoff = LongestDialDelay,
            // A page of 1,000 events or 500 orders with 2,000 lines each is larger than the 4 MiB that a client takes by default.
            MaxReceiveMessageSize = null,
            DisposeHttpClient = true,
        });
    }

    private static SslClientAuthenticationOptions Tls(OrderEngineClientOptions? options)
    {
        var tls = new SslClientAuthenticationOptions();
        try
        {
            if (options?.CaFile is { } authorities)
            {
                var roots = new X509Certificate2Collection();
                roots.ImportFromPemFile(authorities);
                if (roots.Count == 0) throw new ArgumentException($"'{authorities}' holds no certificate.", nameof(options));
                tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                tls.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
            }
            if (options?.ClientCertificateFile is { } own) tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(own)];
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException { ParamName: "privateKey" } or IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"A certificate cannot be read: {wrong.Message}", nameof(options), wrong);
        }
        return tls;
    }
}
