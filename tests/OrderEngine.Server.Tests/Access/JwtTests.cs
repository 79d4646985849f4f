// Tokens, made here as an identity provider makes them: what is taken, and each thing that makes one worthless.

using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class JwtTests : IDisposable
{
    private const string Issuer = "https://id.example";
    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-jwt-").FullName;
    private readonly ManualTime _time = new();
    private readonly RsaSecurityKey _key = NewKey("one");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_token_opens_what_its_scopes_say_to_its_channel_under_its_subject()
    {
        await using var keyed = await StartAsync();
        var orders = new OrderService.OrderServiceClient(keyed.As(Token(_key)));
        var order = await orders.SubmitOrderAsync(Shop.Submit());
        var first = (await orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events[0];
        Assert.Equal(("partner-7", Role.Channel), (first.Actor.Id, first.Actor.Role));
        var elsewhere = Shop.Submit();
        elsewhere.Order.ChannelId = "EBAY";
        Assert.Equal("CHANNEL_NOT_FOUND", (await Refusal.ExpectAsync(() => orders.SubmitOrderAsync(elsewhere).ResponseAsync)).Reason);
        Assert.Equal("SCOPE_MISSING", (await RefusalOf(keyed, Token(_key, scope: "track other:thing"))).Reason);
        // A token of one channel never gets at what all share, whatever it says.
        Assert.Equal("SCOPE_MISSING", (await RefusalOf(keyed, Token(_key, scope: "admin stock"))).Reason);
        Assert.Null(await Refusal.OfAsync(() => SubmitAsync(keyed, Token(_key, channel: "*"))));
    }

    [Fact]
    public async Task A_token_that_is_not_exactly_right_is_worthless()
    {
        await using var keyed = await StartAsync();
        using var stranger = RSA.Create(2048);
        var now = _time.GetUtcNow().UtcDateTime;
        var good = Token(_key);
        var parts = good.Split('.');
        var publicKey = Encoding.ASCII.GetBytes(_key.Rsa.ExportSubjectPublicKeyInfoPem());
        string[] worthless =
        [
            Token(_key, issuer: "https://evil.example"), Token(_key, audience: "another"), Token(_key, channel: null), Token(_key, subject: ""),
            Token(_key, expires: now.AddMinutes(-1)), Token(_key, endless: true), Token(_key, notBefore: now.AddMinutes(5), expires: now.AddHours(1)),
            Token(NewKey("one")), Token(NewKey("two")), Token(_key, algorithm: SecurityAlgorithms.RsaSha512),
            // The oldest tricks: no signature at all, and the public key taken for a shared secret.
            Encode("""{"alg":"none","kid":"one"}""") + "." + parts[1] + ".",
            Sign(new SymmetricSecurityKey(publicKey) { KeyId = "one" }, SecurityAlgorithms.HmacSha256),
            parts[0] + "." + Encode("""{"sub":"me"}""") + "." + parts[2], good[..^4] + "AAAA", "a.b.c", "..",
        ];
        foreach (var token in worthless)
        {
            var refusal = await RefusalOf(keyed, token);
            Assert.True((refusal.Code, refusal.Reason) == (StatusCode.Unauthenticated, "CREDENTIAL_INVALID"), $"{token}: {refusal}");
        }
        Assert.Null(await Refusal.OfAsync(() => SubmitAsync(keyed, good)));
    }

    [Fact]
    public async Task A_token_ends_at_its_time_also_on_the_connection_that_showed_it_and_in_an_open_stream()
    {
        await using var keyed = await StartAsync();
        var token = Token(_key);
        await SubmitAsync(keyed, token);
        using var stream = new OrderService.OrderServiceClient(keyed.As(token)).StreamSubmitOrders();
        await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = Shop.Submit() } } });
        Assert.True(await stream.ResponseStream.MoveNext(default));
        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal("CREDENTIAL_INVALID", (await RefusalOf(keyed, token)).Reason);
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => stream.ResponseStream.MoveNext(default))).Reason);
    }

    [Fact]
    public async Task A_key_that_its_issuer_withdraws_takes_its_tokens_with_it()
    {
        await using var keyed = await StartAsync();
        var (token, next) = (Token(_key), NewKey("two"));
        await SubmitAsync(keyed, token);
        Publish(_key, next);
        await keyed.Server.Service<JwtTokens>().ReloadAsync();
        await SubmitAsync(keyed, token);
        await SubmitAsync(keyed, Token(next));
        Publish(next);
        await keyed.Server.Service<JwtTokens>().ReloadAsync();
        Assert.Equal("CREDENTIAL_INVALID", (await RefusalOf(keyed, token)).Reason);
        await SubmitAsync(keyed, Token(next));
    }

    [Fact]
    public async Task Keys_of_other_kinds_beside_it_do_not_keep_a_withdrawn_key_alive()
    {
        const string Others = """{"kty":"OKP","crv":"Ed25519","use":"sig","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","kid":"secret","k":"c2VjcmV0"},{"kty":"RSA","kid":"half","e":"AQAB"},""";
        _others = Others;
        await using var keyed = await StartAsync();
        var (token, next) = (Token(_key), NewKey("two"));
        await SubmitAsync(keyed, token);
        Publish(next);
        await keyed.Server.Service<JwtTokens>().ReloadAsync();
        Assert.Equal("CREDENTIAL_INVALID", (await RefusalOf(keyed, token)).Reason);
        await SubmitAsync(keyed, Token(next));
    }

    private string _others = "";

    private Task<KeyedServer> StartAsync()
    {
        Publish(_key);
        return KeyedServer.StartAsync(options => options with { JwtIssuer = Issuer, JwtKeys = Path.Combine(_folder, "jwks.json") }, services => services.AddSingleton<TimeProvider>(_time));
    }

    private int _published;

    private void Publish(params RsaSecurityKey[] keys)
    {
        var path = Path.Combine(_folder, "jwks.json");
        File.WriteAllText(path, "{\"keys\":[" + _others + string.Join(',', keys.Select(key =>
        {
            var open = key.Rsa.ExportParameters(false);
            return $$"""{"kty":"RSA","use":"sig","kid":"{{key.KeyId}}","n":"{{Base64UrlEncoder.Encode(open.Modulus)}}","e":"{{Base64UrlEncoder.Encode(open.Exponent)}}"}""";
        })) + "]}");
        // Within one tick of the file system's clock two contents would look alike.
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(++_published));
    }

    private static RsaSecurityKey NewKey(string id) => new(RSA.Create(2048)) { KeyId = id };

    private string Token(RsaSecurityKey key, string scope = "submit track", string? channel = "WEB", string subject = "partner-7", string issuer = Issuer, string audience = "orderengine",
        string algorithm = SecurityAlgorithms.RsaSha256, DateTime? notBefore = null, DateTime? expires = null, bool endless = false)
    {
        var claims = new Dictionary<string, object> { ["scope"] = scope, ["sub"] = subject };
        if (channel is not null) claims["channel"] = channel;
        var now = _time.GetUtcNow().UtcDateTime;
        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer, Audience = audience, Claims = claims, SigningCredentials = new SigningCredentials(key, algorithm), IssuedAt = now, NotBefore = notBefore,
            Expires = endless ? null : expires ?? now.AddHours(1),
        });
    }

    private string Sign(SecurityKey key, string algorithm) => new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = Issuer, Audience = "orderengine", SigningCredentials = new SigningCredentials(key, algorithm), Expires = _time.GetUtcNow().UtcDateTime.AddHours(1),
        Claims = new Dictionary<string, object> { ["scope"] = "submit", ["sub"] = "partner-7", ["channel"] = "WEB" },
    });

    private static string Encode(string json) => Base64UrlEncoder.Encode(json);

    private static async Task SubmitAsync(KeyedServer keyed, string token) => await new OrderService.OrderServiceClient(keyed.As(token)).SubmitOrderAsync(Shop.Submit());

    private static Task<Refusal> RefusalOf(KeyedServer keyed, string token) => Refusal.ExpectAsync(() => SubmitAsync(keyed, token));
}
