// A server that wants credentials, with API keys made for the test: what a caller sees through each of them.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

internal sealed class KeyedServer : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly string _folder;

    private KeyedServer(TestServer server, string folder) => (_server, _folder) = (server, folder);

    public TestServer Server => _server;

    public string KeyFile => Path.Combine(_folder, ApiKeyFile.DefaultName);

    /// <summary>With the shop of <see cref="Shop"/>, and channel EBAY beside its WEB. Callers without a credential are refused.</summary>
    public static async Task<KeyedServer> StartAsync(Func<ServerOptions, ServerOptions>? options = null, Action<IServiceCollection>? services = null, string? clientCertificate = null)
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-keys-").FullName;
        var file = Path.Combine(folder, ApiKeyFile.DefaultName);
        var server = await TestServer.StartAsync(services, options: settings =>
        {
            settings = settings with { Allow = Weakenings.Plaintext, ApiKeys = file };
            return options?.Invoke(settings) ?? settings;
        }, clientCertificate: clientCertificate);
        var keyed = new KeyedServer(server, folder);
        server.Use(keyed.Create("setup", null, Scopes.Admin | Scopes.Stock | Scopes.Submit | Scopes.Track));
        await Shop.OpenAsync(server);
        await server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "EBAY" } });
        return keyed;
    }

    /// <summary>Makes a key, and has the server take it up.</summary>
    public string Create(string name, string? channel, Scopes scopes, DateTimeOffset? expires = null)
    {
        var (key, text) = ApiKey.Create(name, channel, scopes, DateTimeOffset.UnixEpoch, expires);
        Change(keys => [.. keys, key]);
        return text;
    }

    /// <summary>Changes the file of keys, and has the server take it up.</summary>
    public void Change(Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change)
    {
        ApiKeyFile.Change(KeyFile, change);
        _server.Service<CredentialStore>().Reload();
    }

    public void Revoke(string text) =>
        Change(keys => [.. keys.Select(key => text.StartsWith(key.Id, StringComparison.Ordinal) ? key with { Revoked = DateTimeOffset.UnixEpoch } : key)]);

    /// <summary>Calls made with this credential; null: with none.</summary>
    public CallInvoker As(string? credential) => _server.InvokerWith(credential);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
