// The OpenTelemetry SDK aggregates; this reads it when somebody scrapes, in the format that he asks for. One scrape at a time.

using System.Diagnostics.Metrics;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OrderEngine.Engine;

namespace OrderEngine.Server.Metrics;

/// <summary>Collects the engine's, the server's and the runtime's instruments.</summary>
internal sealed class MetricsCollector : IDisposable
{
    private const string RequestDuration = "http.server.request.duration";
    private static readonly string[] Meters = [EngineMetrics.MeterName, Access.AccessMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    // Counted up and down by every call, for what nobody asks: calls that are open are the share's, those that wait are in the engine's lanes.
    private static readonly string[] Unread = ["http.server.active_requests", "kestrel.queued_requests"];

    /// <summary>Seconds: from a tenth of a millisecond, below which nothing is durable, to ten seconds, above which everything is broken.</summary>
    private static readonly double[] LatencyBuckets =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _scraping = new();
    private readonly TextExporter _exporter = new();
    private readonly BaseExportingMetricReader _reader;
    private readonly MeterProvider _provider;

    /// <summary>Begins to collect.</summary>
    /// <param name="meters">The host's: instruments of other hosts in the same process (tests) are left out.</param>
    /// <param name="withExemplars">True: measurements within a sampled trace are remembered with it, one a bucket.</param>
    public MetricsCollector(IMeterFactory meters, bool withExemplars)
    {
        _reader = new BaseExportingMetricReader(_exporter);
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(Meters)
            // One view, since the results of all are taken: a second one by name would bring back another host's histogram, as the same metric as ours.
            .AddView(instrument => !IsShown(instrument, meters) ? MetricStreamConfiguration.Drop
                : instrument.Name == RequestDuration ? new ExplicitBucketHistogramConfiguration { Boundaries = LatencyBuckets } : null)
            .SetExemplarFilter(withExemplars ? ExemplarFilterType.TraceBased : ExemplarFilterType.AlwaysOff)
            .AddReader(_reader)
            .Build();
    }

    /// <summary>True for what is served: ours, the web server's and the runtime's, of this host.</summary>
    public static bool IsShown(Instrument instrument, IMeterFactory meters) =>
        Meters.Contains(instrument.Meter.Name) && !Unread.Contains(instrument.Name) && (instrument.Meter.Scope is not { } scope || ReferenceEquals(scope, meters));

    /// <summary>The bounds of a histogram: its own, or for the durations of calls ours; none: those of OpenTelemetry.</summary>
    public static double[]? Buckets(Instrument instrument) => instrument switch
    {
        { Name: RequestDuration } => LatencyBuckets,
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => null,
    };

    /// <summary>Maps /metrics.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", context =>
    {
        var isOpenMetrics = AsksForOpenMetrics(context.Request.Headers.Accept);
        context.Response.ContentType = isOpenMetrics ? PrometheusText.OpenMetricsType : PrometheusText.ContentType;
        return context.Response.WriteAsync(Collect(isOpenMetrics), context.RequestAborted);
    });

    /// <inheritdoc/>
    public void Dispose() => _provider.Dispose();

    private string Collect(bool isOpenMetrics)
    {
        lock (_scraping)
        {
            _exporter.IsOpenMetrics = isOpenMetrics;
            _reader.Collect();
            return _exporter.Text;
        }
    }

    // Who does not name OpenMetrics, or likes plain text better, gets the classic format.
    private static bool AsksForOpenMetrics(StringValues accept)
    {
        if (!MediaTypeHeaderValue.TryParseList([.. accept.OfType<string>()], out var types)) return false;
        return Quality("application/openmetrics-text") is > 0 and var quality && quality >= Quality("text/plain");

        double Quality(string name) => types.Where(type => type.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(type => type.Quality ?? 1).DefaultIfEmpty().Max();
    }

    private sealed class TextExporter : BaseExporter<Metric>
    {
        public bool IsOpenMetrics { get; set; }

        public string Text { get; private set; } = "";

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var text = new PrometheusText(IsOpenMetrics);
            foreach (var metric in batch) text.Add(metric);
            Text = text.ToString();
            return ExportResult.Success;
        }
    }
}
