// The report as JSON: camelCase names, for programs.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderEngine.Load.Reports;

/// <summary>JSON of results.</summary>
public static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Render<T>(T result) => JsonSerializer.Serialize(result, Options);
}
