// The Dockerfile's steps without a container engine: its own commands build the image's files in a folder, and what they publish runs as
// the image's user on a file system of which nothing but the data directory can be written to.
using System.Net.Http;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ContainerTests(ITestOutputHelper log)
{
    // Makes / read-only for what is started under it, the data directory excepted; then gives root away.
    private const string Sandbox = """
        set -e
        mount --make-rprivate /
        mount --bind "$DATA" "$DATA"
        for point in / /tmp /var /home /work; do
          if mountpoint -q "$point"; then mount -o remount,ro,bind "$point"; fi
        done
        unset DATA
        exec setpriv --reuid="$1" --regid="$1" --clear-groups --no-new-privs --inh-caps=-all "${@:2}"
        """;

    [RootFact]
    public async Task The_image_builds_runs_as_its_user_writes_only_data_and_tells_its_health()
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-image-").FullName;
        try
        {
            (await ChildProcess.RunAsync("chmod", ["755", folder])).Succeeded();
            var image = new Dockerfile(folder);
            await image.BuildAsync();
            var (user, group) = (image.User.Split(':')[0], image.User.Split(':')[1]);
            Assert.Equal(("1654", "1654"), (user, group));
            Assert.All((string[])["/app/server/sbom.json", "/app/orderctl/sbom.json"], file => Assert.Contains("\"CycloneDX\"", File.ReadAllText(image.Outside(file)), StringComparison.Ordinal));
            (await ChildProcess.RunAsync("chown", [image.User, image.Outside("/data")])).Succeeded();
            await RunAsync(image);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RunAsync(Dockerfile image)
    {
        var (port, metrics) = (Server.FreePort(), Server.FreePort());
        string Here(string word) => image.Translate(word).Replace("5080", $"{port}", StringComparison.Ordinal).Replace("9464", $"{metrics}", StringComparison.Ordinal);
        var environment = image.Environment.ToDictionary(pair => pair.Key, pair => Here(pair.Value));
        string[] health = [.. image.HealthCheck.Select(Here)];
        Task<Ended> InsideAsync(params string[] command) => ChildProcess.RunAsync("unshare", Wrap(image, environment, command));
        string[] orderctl = ["dotnet", image.Outside("/app/orderctl/orderctl.dll")];
        Directory.CreateDirectory(image.Outside("/tls"));
        using (var certificates = new TestCertificates("localhost"))
        {
            await File.WriteAllTextAsync(image.Outside("/tls/server.pem"), certificates.ServerPem);
            await File.WriteAllTextAsync(image.Outside("/tls/ca.pem"), certificates.AuthorityPem);
        }
        string[] address = ["--address", $"https://127.0.0.1:{port}", "--ca", image.Outside("/tls/ca.pem")];

        // The sandbox is one: neither the image nor anything else can be written to, but the data can.
        foreach (var place in (string[])[image.Outside("/app/x"), image.Outside("/x"), "/tmp/x", "/x", "/var/tmp/x", "/root/x"])
            Assert.NotEqual(0, (await InsideAsync("touch", place)).ExitCode);
        (await InsideAsync("touch", image.Outside("/data/x"))).Succeeded();
        (await InsideAsync("rm", image.Outside("/data/x"))).Succeeded();
        Assert.NotEqual(0, (await InsideAsync(health)).ExitCode);

        // It does not start open to everyone: first a key.
        var refused = await ChildProcess.RunAsync("unshare", Wrap(image, environment, [.. image.Entrypoint.Select(Here)]));
        Assert.Equal(78, refused.ExitCode);
        Assert.Contains("orderctl keys create", refused.Errors, StringComparison.Ordinal);
        var key = (await InsideAsync([.. orderctl, "keys", "create", "operations", "--all-channels", "--scopes", "admin,stock", "--file", image.Outside("/data/api-keys.json")])).Succeeded();
        environment["ORDERENGINE_CREDENTIAL"] = key.Output.Trim();

        var server = ChildProcess.Start("unshare", Wrap(image, environment, [.. image.Entrypoint.Select(Here)]));
        try
        {
            await HealthyAsync(server, () => InsideAsync(health));
            Assert.Contains("\nUid:\t1654\t1654\t1654\t1654\n", await File.ReadAllTextAsync($"/proc/{server.Id}/status"), StringComparison.Ordinal);
            // Not on this address only: what comes from outside of a container arrives at another one.
            using (var http = new HttpClient())
                Assert.Contains("orderengine_", await http.GetStringAsync(new Uri($"http://127.0.0.2:{metrics}/metrics")), StringComparison.Ordinal);
            (await InsideAsync([.. orderctl, "catalog", "location", "upsert", "MAIN", .. address])).Succeeded();
            var before = Expect.Json(await InsideAsync([.. orderctl, "status", "--json", .. address]));

            await server.KillAsync();
            await server.DisposeAsync();
            Assert.NotEqual(0, (await InsideAsync(health)).ExitCode);
            server = ChildProcess.Start("unshare", Wrap(image, environment, [.. image.Entrypoint.Select(Here)]));
            await HealthyAsync(server, () => InsideAsync(health));
            var after = Expect.Json(await InsideAsync([.. orderctl, "status", "--json", .. address]));
            Assert.Equal((1, before.GetProperty("stateHash").GetString()), (after.GetProperty("locations").GetInt32(), after.GetProperty("stateHash").GetString()));
            await server.TerminateAsync();
            (await server.WaitAsync()).Succeeded();
        }
        finally
        {
            log.WriteLine(server.Describe());
            await server.DisposeAsync();
        }
    }

    private static async Task HealthyAsync(ChildProcess server, Func<Task<Ended>> health)
    {
        for (var tries = 0; (await health()).ExitCode != 0; tries++)
            Assert.True(tries < 100 && !server.HasExited, server.Describe()); // a try takes as long as a process takes to start
    }

    // Nothing of this process's environment goes in, as in a container.
    private static string[] Wrap(Dockerfile image, Dictionary<string, string> environment, string[] command) =>
    [
        "--mount", "env", "-i", $"PATH={Environment.GetEnvironmentVariable("PATH")}", $"DATA={image.Outside("/data")}",
        .. environment.Select(pair => $"{pair.Key}={pair.Value}"), "bash", "-c", Sandbox, "sandbox", image.User.Split(':')[0], .. command,
    ];
}

/// <summary>A test that makes a mount namespace and changes the user.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Setting.IsCi && !(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess))
            Skip = "needs Linux and root, to run the image's files as another user on a read-only file system";
    }
}
