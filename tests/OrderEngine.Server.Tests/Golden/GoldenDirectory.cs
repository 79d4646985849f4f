// A data directory as an earlier format wrote it, packed, beside what an engine on it has to answer.
//
//   tests/golden/format-N/data.tar.gz     journal, keys, snapshots; the zeros reserved ahead compress to nothing
//   tests/golden/format-N/answers.json    calls, as JSON, and their answers: reads, and retries of everything that was asked when it was made

using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Golden;

/// <summary>One call and what it must come to.</summary>
/// <param name="Method">Service and rpc, without the package.</param>
/// <param name="Request">Its request as JSON.</param>
/// <param name="Answer">Its response as JSON, every field shown; or the refusal: { "refused": status, "reason": reason }.</param>
internal sealed record GoldenCall(string Method, JsonNode Request, JsonNode Answer);

/// <summary>What an engine on the directory has to be and to say.</summary>
/// <param name="Format">The format of its snapshots.</param>
/// <param name="Sequence">The last sequence; the calls must add none.</param>
/// <param name="StateHash">Comparable while the format is the current one: it covers rows as they lie in memory.</param>
/// <param name="Calls">What is asked, in this order.</param>
internal sealed record GoldenAnswers(int Format, long Sequence, string StateHash, IReadOnlyList<GoldenCall> Calls)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static GoldenAnswers Load(string path) =>
        JsonSerializer.Deserialize<GoldenAnswers>(File.ReadAllText(path)) ?? throw new InvalidDataException(path);

    /// <summary>Writes a call a line.</summary>
    public void Save(string path)
    {
        var text = JsonSerializer.Serialize(this, Readable);
        File.WriteAllText(path, text.Replace("{\"Method\":", "\n{\"Method\":", StringComparison.Ordinal) + "\n");
    }
}

internal static class GoldenDirectory
{
    private const string Package = "orderengine.v1";
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));
    private static readonly Marshaller<byte[]> Bytes = new(bytes => bytes, bytes => bytes);

    /// <summary>The formats kept, by name.</summary>
    public static IEnumerable<string> Names => Directory.EnumerateDirectories(Root).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    private static string Root => Path.Combine(AppContext.BaseDirectory, "golden");

    public static GoldenAnswers Answers(string name) => GoldenAnswers.Load(Path.Combine(Root, name, "answers.json"));

    /// <summary>Unpacks one into a directory of its own, which the caller deletes.</summary>
    public static string Unpack(string name)
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-golden-").FullName;
        using var file = File.OpenRead(Path.Combine(Root, name, "data.tar.gz"));
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(unzipped, directory, overwriteFiles: false);
        return directory;
    }

    /// <summary>Packs a directory that no process uses.</summary>
    public static void Pack(string directory, string path)
    {
        using var file = File.Create(path);
        using var zipped = new GZipStream(file, CompressionLevel.SmallestSize);
        TarFile.CreateFromDirectory(directory, zipped, includeBaseDirectory: false);
    }

    /// <summary>Asks a server a call given as JSON and gives its answer as JSON.</summary>
    public static async Task<JsonNode> AskAsync(TestServer server, string method, JsonNode request)
    {
        var (service, rpc) = method.Split('/') is [var first, var second] ? (first, second) : throw new ArgumentException(method);
        var descriptor = Contract.Services.Single(known => known.Name == service).FindMethodByName(rpc);
        var message = JsonParser.Default.Parse(request.ToJsonString(), descriptor.InputType);
        var call = new Method<byte[], byte[]>(MethodType.Unary, $"{Package}.{service}", rpc, Bytes, Bytes);
        try
        {
            var answer = await server.Invoker.AsyncUnaryCall(call, null, default, message.ToByteArray());
            return Json(descriptor.OutputType.Parser.ParseFrom(answer));
        }
        catch (RpcException thrown)
        {
            var refusal = Refusal.Of(thrown);
            return new JsonObject { ["refused"] = refusal.Code.ToString(), ["reason"] = refusal.Reason };
        }
    }

    public static JsonNode Json(IMessage message) => JsonNode.Parse(Formatter.Format(message)) ?? throw new InvalidDataException(message.Descriptor.FullName);

    /// <summary>Where an answer lacks or changes what was answered once; fields that came later may be there besides. Null: nowhere.</summary>
    public static string? Difference(JsonNode? then, JsonNode? now, string path = "")
    {
        switch (then)
        {
            case JsonObject expected:
                if (now is not JsonObject actual) return $"{path}: {now?.ToJsonString()} instead of {then.ToJsonString()}";
                foreach (var (name, value) in expected)
                    if (Difference(value, actual[name], $"{path}.{name}") is { } found) return found;
                return null;
            case JsonArray expected:
                if (now is not JsonArray list || list.Count != expected.Count) return $"{path}: {now?.ToJsonString()} instead of {then.ToJsonString()}";
                for (var i = 0; i < expected.Count; i++)
                    if (Difference(expected[i], list[i], $"{path}[{i}]") is { } found) return found;
                return null;
            default:
                return JsonNode.DeepEquals(then, now) ? null : $"{path}: {now?.ToJsonString() ?? "nothing"} instead of {then?.ToJsonString()}";
        }
    }
}
