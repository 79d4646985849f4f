// With the whole registry (-p:FullFeed=true) prometheus-net serves /metrics instead of our own endpoint: the same instruments under the same
// names. Not compiled otherwise. Measurements come on any thread.
#if PROMETHEUS_NET
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Prometheus;

namespace OrderEngine.Server.Metrics;

/// <summary>Hands every measurement on to prometheus-net.</summary>
internal sealed class PrometheusNetPage : IDisposable
{
    private readonly CollectorRegistry _registry = global::Prometheus.Metrics.NewCustomRegistry();
    private readonly MeterListener _listener = new();

    /// <param name="meters">The host's.</param>
    /// <param name="withExemplars">True: measurements within a sampled trace name it.</param>
    public PrometheusNetPage(IMeterFactory meters, bool withExemplars)
    {
        var factory = global::Prometheus.Metrics.WithCustomRegistry(_registry);
        factory.ExemplarBehavior = withExemplars
            ? new ExemplarBehavior { DefaultExemplarProvider = (_, _) => Activity.Current is { Recorded: true } span ? Exemplar.From(Exemplar.Pair("trace_id", span.TraceId.ToHexString())) : Exemplar.None }
            : ExemplarBehavior.NoExemplars();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (MetricsCollector.IsShown(instrument, meters)) listener.EnableMeasurementEvents(instrument, new Family(instrument, factory));
        };
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => Take(family, value, tags));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, family) => Take(family, (double)value, tags));
        _listener.Start();
        _registry.AddBeforeCollectCallback(_listener.RecordObservableInstruments);
    }

    /// <summary>Maps /metrics.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapMetrics(settings => settings.Registry = _registry, "/metrics");

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static void Take(object? family, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => ((Family)family!).Take(value, tags);

    /// <summary>One instrument as prometheus-net has it: a metric for each set of label names that it was measured with.</summary>
    private sealed class Family(Instrument instrument, MetricFactory factory)
    {
        private readonly ConcurrentDictionary<string, Action<double, string[]>> _byLabels = new();
        private readonly Type _kind = instrument.GetType().GetGenericTypeDefinition();

        public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var names = new string[tags.Length];
            var values = new string[tags.Length];
            for (var i = 0; i < tags.Length; i++)
                (names[i], values[i]) = (PrometheusText.LabelName(tags[i].Key), Convert.ToString(tags[i].Value, System.Globalization.CultureInfo.InvariantCulture) ?? "");
            _byLabels.GetOrAdd(string.Join(',', names), (_, self) => self.Family.Create(self.Names), (Family: this, Names: names))(value, values);
        }

        private Action<double, string[]> Create(string[] labels)
        {
            var isCounter = _kind == typeof(Counter<>) || _kind == typeof(ObservableCounter<>);
            var name = PrometheusText.Name(instrument.Name, instrument.Unit, isCounter);
            var help = instrument.Description ?? "";
            if (_kind == typeof(Histogram<>))
            {
                var histogram = factory.CreateHistogram(name, help, labels, new HistogramConfiguration { Buckets = MetricsCollector.Buckets(instrument) });
                return (value, values) => histogram.WithLabels(values).Observe(value);
            }
            if (isCounter)
            {
                var counter = factory.CreateCounter(name, help, labels);
                return _kind == typeof(Counter<>) ? (value, values) => counter.WithLabels(values).Inc(value) : (value, values) => counter.WithLabels(values).IncTo(value);
            }
            var gauge = factory.CreateGauge(name, help, labels);
            return _kind == typeof(UpDownCounter<>) ? (value, values) => gauge.WithLabels(values).Inc(value) : (value, values) => gauge.WithLabels(values).Set(value);
        }
    }
}
#endif
