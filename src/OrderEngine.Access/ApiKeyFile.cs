// The file of API keys: JSON, secrets hashed, replaced as a whole so that a reader never sees half of it. Written by orderctl keys,
// read by the server. Any thread; writers exclude each other by a lock file beside it.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderEngine.Access;

/// <summary>Thrown when a file of keys cannot be read or written, or holds something else. The message says what to do.</summary>
public sealed class ApiKeyFileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Reads and changes a file of API keys.</summary>
public static class ApiKeyFile
{
    /// <summary>Its name in the data directory, unless a setting says otherwise.</summary>
    public const string DefaultName = "api-keys.json";

    /// <summary>Keys of one file at most, revoked ones included.</summary>
    public const int MostKeys = 10_000;

    private const int Version = 1;
    private const long MostBytes = 16 * 1024 * 1024;

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    };

    /// <summary>All keys of a file; none when there is no such file.</summary>
    /// <exception cref="ApiKeyFileException">It cannot be read, or is not a file of keys.</exception>
    public static IReadOnlyList<ApiKey> Read(string path)
    {
        try
        {
            if (!File.Exists(path)) return [];
            if (new FileInfo(path).Length > MostBytes) throw new ApiKeyFileException($"'{path}' is too large to be a file of API keys.");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var stored = JsonSerializer.Deserialize<Stored>(stream, Format);
            if (stored?.Version != Version) throw new ApiKeyFileException($"'{path}' is not a file of API keys of version {Version}.");
            return [.. stored.Keys.Select(entry => ToKey(path, entry))];
        }
        catch (Exception error) when (error is JsonException or FormatException)
        {
            throw new ApiKeyFileException($"'{path}' is not a file of API keys: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ApiKeyFileException($"'{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads the file, lets <paramref name="change"/> say what it shall hold, and replaces it; durable on return.</summary>
    /// <exception cref="ApiKeyFileException">It cannot be read or written, somebody else writes it, or it would hold too many keys.</exception>
    public static void Change(string path, Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change)
    {
        try
        {
            using var exclusive = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var keys = change(Read(path));
            if (keys.Count > MostKeys) throw new ApiKeyFileException($"'{path}' may hold {MostKeys} keys at most: remove revoked ones.");
            Replace(path, JsonSerializer.SerializeToUtf8Bytes(new Stored(Version, [.. keys.Select(ToEntry)]), Format));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ApiKeyFileException($"'{path}' cannot be changed: {error.Message}", error);
        }
    }

    private static void Replace(string path, byte[] content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        // Owner only, from its first byte on; the group may read a file to which somebody has given that right.
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using (var stream = new FileStream(beside, options))
        {
            stream.Write(content);
            if (!OperatingSystem.IsWindows() && File.Exists(path)) File.SetUnixFileMode(stream.SafeFileHandle, File.GetUnixFileMode(path));
            stream.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
    }

    private static ApiKey ToKey(string path, Entry entry)
    {
        var scopes = Scopes.None;
        foreach (var name in entry.Scopes)
        {
            if (!ScopeNames.TryParse(name, out var scope)) throw new ApiKeyFileException($"'{path}': key {entry.Id} has the scope '{name}', which does not exist.");
            scopes |= scope;
        }
        if (entry.Channel is not null && (scopes & ScopeNames.Shared) != 0)
            throw new ApiKeyFileException($"'{path}': key {entry.Id} is bound to a channel and so cannot have the scopes stock and admin.");
        if (ApiKey.Problem(entry.Name) is { } problem) throw new ApiKeyFileException($"'{path}': the name of key {entry.Id} {problem}.");
        return new ApiKey
        {
            Id = entry.Id, Name = entry.Name, Channel = entry.Channel, Scopes = scopes, SecretHash = Convert.FromHexString(entry.SecretSha256),
            Created = entry.Created, Expires = entry.Expires, Revoked = entry.Revoked,
        };
    }

    private static Entry ToEntry(ApiKey key) => new(
        key.Id, key.Name, [.. ScopeNames.Split(key.Scopes)], Convert.ToHexStringLower(key.SecretHash), key.Created, key.Channel, key.Expires, key.Revoked);

    private sealed record Stored(int Version, Entry[] Keys);

    private sealed record Entry(
        string Id, string Name, string[] Scopes, string SecretSha256, DateTimeOffset Created,
        string? Channel = null, DateTimeOffset? Expires = null, DateTimeOffset? Revoked = null);
}
