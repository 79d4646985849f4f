// The OpenTelemetry SDK aggregates; this reads it when somebody scrapes. One scrape at a time.

using OpenTelemetry;
using OpenTelemetry.Metrics;
using OrderEngine.Engine;

namespace OrderEngine.Server.Metrics;

/// <summary>Collects the engine's, the server's and the runtime's instruments.</summary>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>Seconds: from a tenth of a millisecond, below which nothing is durable, to ten seconds, above which everything is broken.</summary>
    private static readonly double[] LatencyBuckets =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _scraping = new();
    private readonly TextExporter _exporter = new();
    private readonly BaseExportingMetricReader _reader;
    private readonly MeterProvider _provider;

    /// <summary>Begins to collect.</summary>
    /// <param name="meters">The host's: instruments of other hosts in the same process (tests) are left out.</param>
    public MetricsCollector(System.Diagnostics.Metrics.IMeterFactory meters)
    {
        _reader = new BaseExportingMetricReader(_exporter);
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(EngineMetrics.MeterName, Access.AccessMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddView(instrument => instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, meters) ? MetricStreamConfiguration.Drop : null)
            .AddView("http.server.request.duration", new ExplicitBucketHistogramConfiguration { Boundaries = LatencyBuckets })
            .AddReader(_reader)
            .Build();
    }

    /// <summary>Everything there is, as Prometheus reads it.</summary>
    public string Collect()
    {
        lock (_scraping)
        {
            _reader.Collect();
            return _exporter.Text;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _provider.Dispose();

    private sealed class TextExporter : BaseExporter<Metric>
    {
        public string Text { get; private set; } = "";

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var text = new PrometheusText();
            foreach (var metric in batch) text.Add(metric);
            Text = text.ToString();
            return ExportResult.Success;
        }
    }
}
