// What a server refuses to start with, in each posture, and what its settings must name for it to start all the same.

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using OrderEngine.Access;
using OrderEngine.Server.Access;

namespace OrderEngine.Server.Tests.Access;

public sealed class PostureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-posture-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    // A developer's machine: in the clear and trusted, on loopback only.
    [InlineData("Development", "", "", false, true)]
    [InlineData("Development", "http://localhost:1", "", false, true)]
    [InlineData("Development", "http://[::1]:1", "", false, true)]
    [InlineData("Development", "http://0.0.0.0:1", "", false, false)]
    [InlineData("Development", "http://*:1", "", false, false)]
    [InlineData("Development", "http://127.0.0.1:1;http://10.0.0.1:1", "", true, false)]
    [InlineData("Development", "http://0.0.0.0:1", "Plaintext", false, false)]
    [InlineData("Development", "http://0.0.0.0:1", "Plaintext", true, true)]
    [InlineData("Development", "http://0.0.0.0:1", "Plaintext,Anonymous", false, true)]
    // Anywhere else: TLS and credentials, unless named.
    [InlineData("Production", "", "", true, false)]
    [InlineData("Production", "http://127.0.0.1:1", "", true, false)]
    [InlineData("Production", "http://127.0.0.1:1", "Plaintext", true, true)]
    [InlineData("Production", "http://127.0.0.1:1", "Plaintext", false, false)]
    [InlineData("Production", "http://127.0.0.1:1", "Anonymous", false, false)]
    [InlineData("Production", "http://127.0.0.1:1", "plaintext, anonymous", false, true)]
    [InlineData("Production", "https://0.0.0.0:1", "", true, true)]
    [InlineData("Production", "https://0.0.0.0:1", "", false, false)]
    [InlineData("Production", "https://0.0.0.0:1;http://127.0.0.1:2", "", true, false)]
    [InlineData("Staging", "http://127.0.0.1:1", "", true, false)]
    public void A_server_starts_only_with_the_guards_of_its_posture(string environment, string urls, string allow, bool hasKey, bool starts)
    {
        var settings = new Dictionary<string, string?> { ["OrderEngine:DataDirectory"] = _folder, ["OrderEngine:Allow"] = allow };
        if (urls.Length > 0) settings["urls"] = urls;
        if (urls.Contains("https", StringComparison.Ordinal)) settings["OrderEngine:TlsCertificate"] = "server.pem";
        if (hasKey) MakeKey();
        Assert.Equal(starts, Problems(environment, settings).Count == 0);
    }

    [Fact]
    public void A_problem_names_the_setting_and_the_way_out()
    {
        var problems = Problems("Production", new() { ["OrderEngine:DataDirectory"] = _folder });
        Assert.Contains(problems, problem => problem.Contains("http://127.0.0.1:5080", StringComparison.Ordinal) && problem.Contains("OrderEngine:TlsCertificate", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("orderctl keys create", StringComparison.Ordinal) && problem.Contains(_folder, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_revoked_keys_are_no_credentials_and_a_broken_file_is_said_to_be_one()
    {
        MakeKey(revoked: true);
        var settings = new Dictionary<string, string?> { ["OrderEngine:DataDirectory"] = _folder, ["OrderEngine:Allow"] = "Plaintext" };
        Assert.Single(Problems("Production", settings));
        File.WriteAllText(Path.Combine(_folder, ApiKeyFile.DefaultName), "{");
        Assert.Contains("is not a file of API keys", Assert.Single(Problems("Production", settings)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Everything")]
    [InlineData("7")]
    [InlineData("Plaintext Anonymous")]
    public void A_weakening_that_does_not_exist_is_refused(string allow)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["OrderEngine:Allow"] = allow }).Build();
        Assert.False(ServerOptions.TryRead(configuration, out _, out var problems));
        Assert.Contains("Plaintext, Anonymous, Reflection", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_need_keys_and_an_algorithm_with_public_ones()
    {
        var settings = new Dictionary<string, string?> { ["OrderEngine:JwtIssuer"] = "https://id.example", ["OrderEngine:JwtAlgorithm"] = "HS256" };
        Assert.False(ServerOptions.TryRead(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), out _, out var problems));
        Assert.Equal(2, problems.Count);
    }

    private static IReadOnlyList<string> Problems(string environment, Dictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        Assert.True(ServerOptions.TryRead(configuration, out var options, out _));
        Posture.Of(new HostingEnvironment { EnvironmentName = environment }, isNamed: true, configuration, options, out var problems);
        return problems;
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", false, true)]
    [InlineData("http://127.0.0.1:1", true, false)]
    [InlineData("http://0.0.0.0:1", false, false)]
    [InlineData("http://127.0.0.1:1;http://10.0.0.1:2", false, false)]
    public void A_bare_server_of_which_nobody_named_the_environment_trusts_this_machine_only(string urls, bool isNamed, bool starts)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = urls, ["OrderEngine:DataDirectory"] = "nowhere" }).Build();
        Assert.True(ServerOptions.TryRead(configuration, out var options, out _));
        var decided = Posture.Of(new HostingEnvironment { EnvironmentName = "Production" }, isNamed, configuration, options, out var problems);
        Assert.Equal(starts, problems.Count == 0);
        Assert.Equal(starts, decided.TrustsAnonymous);
        Posture.Of(new HostingEnvironment { EnvironmentName = "Production" }, isNamed, configuration, options with { JwtIssuer = "https://id.example" }, out problems);
        Assert.NotEmpty(problems);
    }

    private void MakeKey(bool revoked = false)
    {
        var key = ApiKey.Create("k", null, Scopes.Admin, DateTimeOffset.UnixEpoch, null).Key;
        ApiKeyFile.Change(Path.Combine(_folder, ApiKeyFile.DefaultName), _ => [revoked ? key with { Revoked = DateTimeOffset.UnixEpoch } : key]);
    }
}
