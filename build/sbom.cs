#!/usr/bin/env dotnet
// Writes the bill of materials of a project (CycloneDX 1.5, JSON): every package in its lock file, with version, hash and, where its own
// description names one, licence. The same lock file gives the same bytes.
//   dotnet run build/sbom.cs -- OUTPUT PROJECT-FOLDER
#:property PublishAot=false
#:property ManagePackageVersionsCentrally=false
#:property RestorePackagesWithLockFile=false
#:property RestoreLockedMode=false
#:property JsonSerializerIsReflectionEnabledByDefault=true

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

if (args.Length != 2)
{
    Console.Error.WriteLine("sbom: give OUTPUT and PROJECT-FOLDER.");
    return 2;
}
var (output, folder) = (args[0], Path.GetFullPath(args[1]));
var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
    ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
using var locks = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "packages.lock.json")));
var components = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
var dependencies = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
foreach (var framework in locks.RootElement.GetProperty("dependencies").EnumerateObject())
{
    var resolved = framework.Value.EnumerateObject().Where(entry => entry.Value.TryGetProperty("resolved", out _))
        .ToDictionary(entry => entry.Name, entry => Reference(entry.Name, entry.Value.GetProperty("resolved").GetString()!), StringComparer.OrdinalIgnoreCase);
    foreach (var entry in framework.Value.EnumerateObject())
    {
        // Our own projects, and those that stand in for a package, have no version of their own in there.
        if (!resolved.TryGetValue(entry.Name, out var reference)) continue;
        components[reference] = Component(entry.Name, entry.Value.GetProperty("resolved").GetString()!, entry.Value.GetProperty("contentHash").GetString()!, reference);
        var on = dependencies.TryGetValue(reference, out var known) ? known : dependencies[reference] = [];
        if (!entry.Value.TryGetProperty("dependencies", out var wanted)) continue;
        foreach (var name in wanted.EnumerateObject())
            if (resolved.TryGetValue(name.Name, out var other)) on.Add(other);
    }
}
var bill = new JsonObject
{
    ["bomFormat"] = "CycloneDX",
    ["specVersion"] = "1.5",
    ["version"] = 1,
    ["metadata"] = new JsonObject { ["component"] = new JsonObject { ["type"] = "application", ["bom-ref"] = Path.GetFileName(folder), ["name"] = Path.GetFileName(folder) } },
    ["components"] = new JsonArray([.. components.Values]),
    ["dependencies"] = new JsonArray([.. dependencies.Select(one => new JsonObject
    {
        ["ref"] = one.Key, ["dependsOn"] = new JsonArray([.. one.Value.Select(other => JsonValue.Create(other))]),
    })]),
};
File.WriteAllText(output, bill.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
Console.WriteLine($"sbom: {components.Count} packages of {Path.GetFileName(folder)} in {output}");
return 0;

static string Reference(string name, string version) => $"pkg:nuget/{name}@{version}";

JsonObject Component(string name, string version, string contentHash, string reference)
{
    var component = new JsonObject
    {
        ["type"] = "library", ["bom-ref"] = reference, ["name"] = name, ["version"] = version, ["purl"] = reference,
        // NuGet's content hash: of the package without its signature, as the lock file has it.
        ["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(contentHash)) }),
    };
    if (Licence(name, version) is { } licence) component["licenses"] = new JsonArray(licence);
    return component;
}

JsonObject? Licence(string name, string version)
{
    var (id, number) = (name.ToLowerInvariant(), version.ToLowerInvariant());
    var description = Path.Combine(packages, id, number, $"{id}.nuspec");
    if (!File.Exists(description)) return null;
    var metadata = XDocument.Load(description).Root!.Elements().First(element => element.Name.LocalName == "metadata");
    string? Text(string element, string? type = null) =>
        metadata.Elements().FirstOrDefault(one => one.Name.LocalName == element && (type is null || (string?)one.Attribute("type") == type))?.Value.Trim();
    if (Text("license", "expression") is { } expression) return new JsonObject { ["expression"] = expression };
    if (Text("license", "file") is { } file) return new JsonObject { ["license"] = new JsonObject { ["name"] = $"see {file} in the package" } };
    return Text("licenseUrl") is { } url ? new JsonObject { ["license"] = new JsonObject { ["name"] = "see its page", ["url"] = url } } : null;
}
