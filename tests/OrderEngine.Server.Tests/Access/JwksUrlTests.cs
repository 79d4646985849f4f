// Keys of tokens over the network: a real https server, a key that is changed, a server that does not answer, one that nobody should trust.

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class JwksUrlTests : IAsyncLifetime, IDisposable
{
    private const string Issuer = "https://id.example";
    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-jwks-").FullName;
    private readonly TestCertificates _certificates = new("localhost");
    private readonly ManualTime _time = new();
    private readonly Heard _log = new();
    private readonly RsaSecurityKey _key = NewKey("one");
    private WebApplication? _provider;
    private volatile string _answer = "";
    private volatile int _status = 200;
    private int _asked;

    public async Task InitializeAsync()
    {
        Publish(_key);
        await File.WriteAllTextAsync(CaFile, _certificates.AuthorityPem);
        _provider = await ProviderAsync(0);
    }

    public async Task DisposeAsync()
    {
        if (_provider is not null) await _provider.DisposeAsync();
    }

    public void Dispose()
    {
        _certificates.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Keys_come_from_an_https_url_and_a_change_of_key_is_taken_up_within_a_minute()
    {
        await using var keyed = await StartAsync(CaFile);
        var next = NewKey("two");
        Assert.Null(await RefusedAsync(keyed, _key));
        Assert.Equal("CREDENTIAL_INVALID", await RefusedAsync(keyed, next));
        Publish(_key, next);
        await AMinuteAsync(keyed);
        Assert.Null(await RefusedAsync(keyed, _key));
        Assert.Null(await RefusedAsync(keyed, next));
        Publish(next);
        await AMinuteAsync(keyed);
        Assert.Equal("CREDENTIAL_INVALID", await RefusedAsync(keyed, _key));
        Assert.Null(await RefusedAsync(keyed, next));
        Assert.Empty(_log.Errors);
    }

    [Fact]
    public async Task A_url_that_does_not_answer_or_not_with_keys_leaves_the_old_ones_good_and_is_said_once_until_it_is_mended()
    {
        await using var keyed = await StartAsync(CaFile);
        var port = new Uri(_provider!.Urls.Single()).Port;
        foreach (var (answer, status) in new[] { ("", 500), ("no json", 200), ("""{"keys":[]}""", 200), ("", 302) })
        {
            (_answer, _status) = (answer, status);
            await AMinuteAsync(keyed);
            Assert.Null(await RefusedAsync(keyed, _key));
            Assert.Single(_log.Errors);
        }
        await _provider.DisposeAsync();
        _provider = null;
        await keyed.Server.Service<JwtTokens>().ReloadAsync();
        Assert.Null(await RefusedAsync(keyed, _key));
        var said = Assert.Single(_log.Errors);
        Assert.Contains("stay as they were", said, StringComparison.Ordinal);

        var next = NewKey("two");
        Publish(next);
        _provider = await ProviderAsync(port);
        await AMinuteAsync(keyed);
        Assert.Null(await RefusedAsync(keyed, next));
        Assert.Equal("CREDENTIAL_INVALID", await RefusedAsync(keyed, _key));
        // A new fault is said anew.
        (_answer, _status) = ("", 500);
        await AMinuteAsync(keyed);
        Assert.Equal(2, _log.Errors.Count);
    }

    [Fact]
    public async Task A_certificate_that_is_not_of_the_authorities_gives_no_keys()
    {
        await using var keyed = await StartAsync(null);
        Assert.Equal("CREDENTIAL_INVALID", await RefusedAsync(keyed, _key));
        Assert.Equal(0, _asked);
        Assert.Single(_log.Errors);
    }

    private string CaFile => Path.Combine(_folder, "ca.pem");

    private Task<KeyedServer> StartAsync(string? ca) => KeyedServer.StartAsync(
        options => options with { JwtIssuer = Issuer, JwtKeys = _provider!.Urls.Single() + "/jwks", JwtKeysCa = ca },
        services => services.AddSingleton<TimeProvider>(_time).AddSingleton<ILogger<JwtTokens>>(_log));

    // The server asks by itself; what it was told is taken up when a second question, behind the first, has been answered.
    private async Task AMinuteAsync(KeyedServer keyed)
    {
        var asked = Volatile.Read(ref _asked);
        _time.Advance(ServerLimits.JwksPoll);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _asked) > asked, TimeSpan.FromSeconds(60)), "The server did not ask for the keys.");
        await keyed.Server.Service<JwtTokens>().ReloadAsync();
    }

    private async Task<WebApplication> ProviderAsync(int port)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var pem = _certificates.ServerPem;
        using var certificate = X509Certificate2.CreateFromPem(pem, pem);
        var exported = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(exported)));
        var app = builder.Build();
        app.MapGet("/jwks", async context =>
        {
            Interlocked.Increment(ref _asked);
            context.Response.StatusCode = _status;
            if (_status == 302) context.Response.Headers.Location = "http://127.0.0.1:1/";
            await context.Response.WriteAsync(_answer);
        });
        await app.StartAsync();
        return app;
    }

    private void Publish(params RsaSecurityKey[] keys)
    {
        _status = 200;
        _answer = "{\"keys\":[" + string.Join(',', keys.Select(key =>
        {
            var open = key.Rsa.ExportParameters(false);
            return $$"""{"kty":"RSA","use":"sig","kid":"{{key.KeyId}}","n":"{{Base64UrlEncoder.Encode(open.Modulus)}}","e":"{{Base64UrlEncoder.Encode(open.Exponent)}}"}""";
        })) + "]}";
    }

    private async Task<string?> RefusedAsync(KeyedServer keyed, RsaSecurityKey key)
    {
        var token = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Issuer, Audience = "orderengine", SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.RsaSha256), Expires = _time.GetUtcNow().UtcDateTime.AddHours(1),
            Claims = new Dictionary<string, object> { ["scope"] = "submit", ["sub"] = "partner-7", ["channel"] = "WEB" },
        });
        return (await Refusal.OfAsync(() => new OrderService.OrderServiceClient(keyed.As(token)).SubmitOrderAsync(Shop.Submit()).ResponseAsync))?.Reason;
    }

    private static RsaSecurityKey NewKey(string id) => new(RSA.Create(2048)) { KeyId = id };

    private sealed class Heard : ILogger<JwtTokens>
    {
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Errors
        {
            get
            {
                lock (_errors) return [.. _errors];
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel < LogLevel.Error) return;
            lock (_errors) _errors.Add(formatter(state, exception));
        }
    }
}
