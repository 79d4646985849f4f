// Where traces go, and how many. Values; checked with the other settings.

namespace OrderEngine.Server.Traces;

/// <summary>What the settings say of traces; there is none where they are off.</summary>
/// <param name="Collector">Where an OpenTelemetry collector listens for OTLP.</param>
/// <param name="IsHttp">True: OTLP over HTTP (protobuf), else over gRPC.</param>
/// <param name="OneIn">One call in so many is traced, of those whose caller has not decided it.</param>
internal sealed record TraceSettings(Uri Collector, bool IsHttp, int OneIn)
{
    /// <summary>The protocols, as OpenTelemetry spells them.</summary>
    public static readonly IReadOnlyList<string> Protocols = ["grpc", Http];

    /// <summary>OTLP over HTTP.</summary>
    public const string Http = "http/protobuf";

    private const string HttpPath = "/v1/traces";

    /// <summary>Where spans are posted to: the collector's usual path where the setting names none.</summary>
    public Uri Endpoint => IsHttp && Collector.AbsolutePath == "/" ? new Uri(Collector, HttpPath) : Collector;
}
