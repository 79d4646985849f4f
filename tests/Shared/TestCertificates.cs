// Certificates of the tests' own authority, made for the occasion: a server's for this machine, and clients'. Real keys, good for a day unless a test wants more.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrderEngine.Tests;

internal sealed class TestCertificates : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2 _authority;
    private readonly string _name;

    public TestCertificates(string name, int days = 1)
    {
        _name = name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Test authority of {name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = DateTimeOffset.UtcNow;
        _authority = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(days));
        ServerPem = Issue(ServerUse);
    }

    /// <summary>What clients are to trust.</summary>
    public string AuthorityPem => _authority.ExportCertificatePem() + "\n";

    /// <summary>A server's certificate and key.</summary>
    public string ServerPem { get; }

    /// <summary>Another one, as a renewal brings.</summary>
    public string AnotherServerPem() => Issue(ServerUse);

    /// <summary>A client's certificate and key.</summary>
    public string ClientPem() => Issue(ClientUse);

    public void Dispose() => _authority.Dispose();

    private string Issue(string use)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={_name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var serial = RandomNumberGenerator.GetBytes(8);
        using var certificate = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, serial);
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
