// TLS with real certificates on real sockets: whom a client trusts, a renewed certificate without a restart, client certificates.

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OrderEngine.Access;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-tls-").FullName;
    private readonly TestCertificates _certificates = new("localhost");

    public void Dispose()
    {
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_client_that_trusts_the_authority_is_served_and_one_that_does_not_hangs_up()
    {
        await using var keyed = await StartAsync();
        using var client = Connect(keyed, Write("ca.pem", _certificates.AuthorityPem));
        Assert.True((await client.SubmitAsync(Shop.Draft())).IsAccepted);

        using var other = new TestCertificates("localhost");
        using var stranger = Connect(keyed, Write("other.pem", other.AuthorityPem));
        await Assert.ThrowsAsync<OrderEngineException>(() => stranger.SubmitAsync(Shop.Draft()));
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_to_the_next_connection_and_a_broken_one_is_not()
    {
        await using var keyed = await StartAsync();
        var first = await ShownAsync(keyed);
        await File.WriteAllTextAsync(Path.Combine(_folder, "server.pem"), "not a certificate");
        Touch();
        keyed.Server.Service<CertificateFile>().Reload();
        Assert.Equal(first, await ShownAsync(keyed));

        using var open = Connect(keyed, Write("ca.pem", _certificates.AuthorityPem));
        Assert.True((await open.SubmitAsync(Shop.Draft())).IsAccepted);
        await File.WriteAllTextAsync(Path.Combine(_folder, "server.pem"), _certificates.AnotherServerPem());
        Touch();
        keyed.Server.Service<CertificateFile>().Reload();
        Assert.NotEqual(first, await ShownAsync(keyed));
        Assert.True((await open.SubmitAsync(Shop.Draft())).IsAccepted);
    }

    [Fact]
    public async Task Where_client_certificates_are_wanted_only_the_authoritys_get_in()
    {
        var ca = Write("ca.pem", _certificates.AuthorityPem);
        await using var keyed = await StartAsync(clientCa: ca, own: Write("setup.pem", _certificates.ClientPem()));
        using var client = Connect(keyed, ca, Write("client.pem", _certificates.ClientPem()));
        Assert.True((await client.SubmitAsync(Shop.Draft())).IsAccepted);

        using var other = new TestCertificates("localhost");
        foreach (var wrong in new[] { null, Write("theirs.pem", other.ClientPem()), Write("use.pem", _certificates.AnotherServerPem()) })
        {
            using var stranger = Connect(keyed, ca, wrong);
            await Assert.ThrowsAsync<OrderEngineException>(() => stranger.SubmitAsync(Shop.Draft()));
        }
    }

    [Fact]
    public void A_client_does_not_send_its_key_in_the_clear_beyond_this_machine()
    {
        var options = new OrderEngineClientOptions { Credential = () => "k.s" };
        Assert.Throws<ArgumentException>(() => new OrderEngineClient("http://engine.example:5080", options));
        new OrderEngineClient("http://engine.example:5080", options with { AllowPlaintext = true }).Dispose();
        new OrderEngineClient("http://127.0.0.1:5080", options).Dispose();
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("certificate", "other key")]
    [InlineData("certificate", "")]
    public void Files_that_do_not_belong_together_are_refused_by_name(string certificate, string key)
    {
        using var other = new TestCertificates("other");
        var certificateFile = Write("a.pem", certificate.Length == 0 ? "" : _certificates.ServerPem);
        var keyFile = Write("b.pem", key.Length == 0 ? "" : other.ServerPem);
        Assert.Contains(certificateFile, Assert.Throws<InvalidOperationException>(() => new CertificateFile(certificateFile, keyFile, null)).Message, StringComparison.Ordinal);
    }

    private Task<KeyedServer> StartAsync(string? clientCa = null, string? own = null) => KeyedServer.StartAsync(
        options => options with { TlsCertificate = Write("server.pem", _certificates.ServerPem), TlsClientCa = clientCa }, clientCertificate: own);

    private OrderEngineClient Connect(KeyedServer keyed, string ca, string? own = null)
    {
        var key = keyed.Create("web", "WEB", Scopes.Submit);
        return new OrderEngineClient(keyed.Server.Address, new OrderEngineClientOptions
        {
            Credential = () => key, CaFile = ca, ClientCertificateFile = own, Retry = new RetrySettings { Budget = TimeSpan.Zero }, CallTimeout = TimeSpan.FromMinutes(1),
        });
    }

    private static async Task<string> ShownAsync(KeyedServer keyed)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", new Uri(keyed.Server.Address).Port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2,
        });
        return tls.RemoteCertificate!.GetCertHashString();
    }

    // Within one tick of the file system's clock two contents would look alike.
    private void Touch()
    {
        var path = Path.Combine(_folder, "server.pem");
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(++_touches));
    }

    private int _touches;

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
