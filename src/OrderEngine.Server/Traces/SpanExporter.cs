// Sends spans to the collector. A collector that does not take them costs spans and nothing else: said once when it begins and once when it
// is over. On the exporting thread of the SDK.

using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;

namespace OrderEngine.Server.Traces;

/// <summary>OpenTelemetry's exporter, and a line in the log when it fails.</summary>
internal sealed class SpanExporter(TraceSettings settings, ILogger logger) : OtlpTraceExporter(Options(settings))
{
    private bool _isFailing;
    private long _lost;

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Activity> activityBatch)
    {
        var count = activityBatch.Count;
        var result = base.Export(activityBatch);
        if (result == ExportResult.Success && _isFailing) ServerLog.TracesTaken(logger, settings.Endpoint.AbsoluteUri, _lost);
        else if (result == ExportResult.Failure && !_isFailing) ServerLog.TracesLost(logger, settings.Endpoint.AbsoluteUri);
        _isFailing = result == ExportResult.Failure;
        _lost = _isFailing ? _lost + count : 0;
        return result;
    }

    private static OtlpExporterOptions Options(TraceSettings settings) => new()
    {
        Endpoint = settings.Endpoint,
        Protocol = settings.IsHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc,
    };
}
