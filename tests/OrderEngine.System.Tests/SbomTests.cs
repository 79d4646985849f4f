// The bill of materials of what is shipped (build/sbom.cs): every package of the lock file, as the lock file has it, and no other.
using System.Text.Json;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class SbomTests
{
    [Theory]
    [InlineData("OrderEngine.Server", "Grpc.AspNetCore.Server", "Apache-2.0")]
    [InlineData("OrderEngine.Cli", "System.CommandLine", "MIT")]
    public async Task Every_package_of_the_lock_file_is_in_it_with_version_hash_and_licence(string project, string known, string licence)
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-sbom-").FullName;
        try
        {
            var (first, second) = (Path.Combine(folder, "first.json"), Path.Combine(folder, "second.json"));
            foreach (var file in new[] { first, second })
                (await ChildProcess.RunAsync(Setting.Dotnet, ["run", "build/sbom.cs", "--", file, $"src/{project}"], patience: Setting.Patience * 2)).Succeeded();
            Assert.Equal(await File.ReadAllTextAsync(first), await File.ReadAllTextAsync(second));

            using var bill = JsonDocument.Parse(await File.ReadAllTextAsync(first));
            Assert.Equal("CycloneDX", bill.RootElement.GetProperty("bomFormat").GetString());
            Assert.Equal(project, bill.RootElement.GetProperty("metadata").GetProperty("component").GetProperty("name").GetString());
            var components = bill.RootElement.GetProperty("components").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!);
            using var locks = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Setting.Root, "src", project, "packages.lock.json")));
            var locked = locks.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject())
                .Where(entry => entry.Value.GetProperty("type").GetString() != "Project").ToDictionary(entry => entry.Name, entry => entry.Value);
            Assert.Contains("Google.Protobuf", locked.Keys);
            Assert.Equal(locked.Keys.Order(), components.Keys.Order());
            foreach (var (name, entry) in locked)
            {
                var version = entry.GetProperty("resolved").GetString();
                Assert.Equal(version, components[name].GetProperty("version").GetString());
                Assert.Equal($"pkg:nuget/{name}@{version}", components[name].GetProperty("purl").GetString());
                var hash = components[name].GetProperty("hashes")[0];
                Assert.Equal("SHA-512", hash.GetProperty("alg").GetString());
                Assert.Equal(entry.GetProperty("contentHash").GetString(), Convert.ToBase64String(Convert.FromHexString(hash.GetProperty("content").GetString()!)));
                Assert.True(components[name].TryGetProperty("licenses", out _), $"{name} has no licence.");
            }
            Assert.Equal(licence, components[known].GetProperty("licenses")[0].GetProperty("expression").GetString());
            var references = components.Values.Select(one => one.GetProperty("bom-ref").GetString()).ToHashSet();
            foreach (var node in bill.RootElement.GetProperty("dependencies").EnumerateArray())
                Assert.All(node.GetProperty("dependsOn").EnumerateArray(), other => Assert.Contains(other.GetString(), references));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
