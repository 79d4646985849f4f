// Prometheus' text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Names after OpenTelemetry's
// compatibility rules: dots become underscores, units are spelled out at the end, counters end in _total.

using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace OrderEngine.Server.Metrics;

/// <summary>Writes metrics as text, one family after the other.</summary>
internal sealed class PrometheusText
{
    /// <summary>The media type of what this writes.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // A family's lines stand together, under one head, even if several meters of a process bring the same name (two hosts in one process do).
    private readonly List<StringBuilder> _families = [];
    private readonly Dictionary<string, StringBuilder> _byName = [];
    private StringBuilder _text = new();

    /// <inheritdoc/>
    public override string ToString() => string.Concat(_families);

    /// <summary>Adds a metric with all its points.</summary>
    public void Add(Metric metric)
    {
        var isCounter = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
        var isHistogram = metric.MetricType == MetricType.Histogram;
        var name = Name(metric.Name, metric.Unit, isCounter);
        Family(name, metric.Description, isCounter ? "counter" : isHistogram ? "histogram" : "gauge");
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (isHistogram) Histogram(name, in point);
            else Sample(name, Labels(point.Tags), Value(metric.MetricType, in point));
        }
    }

    /// <summary>Begins a family, or goes on with it.</summary>
    /// <param name="name">A sound name.</param>
    /// <param name="help">Any text.</param>
    /// <param name="type">counter, gauge or histogram.</param>
    public void Family(string name, string help, string type)
    {
        if (_byName.TryGetValue(name, out var present))
        {
            _text = present;
            return;
        }
        _text = _byName[name] = new StringBuilder();
        _families.Add(_text);
        if (help.Length > 0) _text.Append("# HELP ").Append(name).Append(' ').Append(EscapeHelp(help)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>Adds one line of a family.</summary>
    /// <param name="name">The family's name, with suffix.</param>
    /// <param name="labels">As <see cref="Labels"/> writes them, without braces.</param>
    /// <param name="value">Any number.</param>
    public void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>The name of a family: sound characters, the unit spelled out, _total for counters.</summary>
    public static string Name(string name, string? unit, bool isCounter)
    {
        var sound = new StringBuilder(name.Length);
        foreach (var c in name) sound.Append(char.IsAsciiLetterOrDigit(c) || c == ':' ? c : '_');
        if (sound.Length == 0 || char.IsAsciiDigit(sound[0])) sound.Insert(0, '_');
        var result = sound.ToString();
        var suffix = unit switch { "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", "1" when !isCounter => "_ratio", _ => "" };
        // _count at the end of a gauge reads as part of a histogram, and promtool refuses it: the runtime's own gauges have it.
        if (!isCounter && result.EndsWith("_count", StringComparison.Ordinal)) result = result[..^"_count".Length];
        if (!result.EndsWith(suffix, StringComparison.Ordinal)) result += suffix;
        return isCounter && !result.EndsWith("_total", StringComparison.Ordinal) ? result + "_total" : result;
    }

    /// <summary>Labels as they stand between the braces.</summary>
    public static string Labels(ReadOnlyTagCollection tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags) Label(text, key, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        return text.ToString();
    }

    /// <summary>Appends one label.</summary>
    public static void Label(StringBuilder text, string key, string value)
    {
        if (text.Length > 0) text.Append(',');
        if (key.Length == 0 || char.IsAsciiDigit(key[0])) text.Append('_');
        foreach (var c in key) text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        text.Append("=\"");
        foreach (var c in value)
        {
            if (c == '\\') text.Append(@"\\");
            else if (c == '"') text.Append("\\\"");
            else if (c == '\n') text.Append(@"\n");
            else text.Append(c);
        }
        text.Append('"');
    }

    /// <summary>A number as Prometheus reads it.</summary>
    public static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string EscapeHelp(string help) => help.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    private static double Value(MetricType type, in MetricPoint point) => type switch
    {
        MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
        MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
        MetricType.LongGauge => point.GetGaugeLastValueLong(),
        _ => point.GetGaugeLastValueDouble(),
    };

    private void Histogram(string name, in MetricPoint point)
    {
        var labels = Labels(point.Tags);
        var cumulative = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            var text = new StringBuilder(labels);
            Label(text, "le", Number(bucket.ExplicitBound));
            Sample(name + "_bucket", text.ToString(), cumulative);
        }
        Sample(name + "_sum", labels, point.GetHistogramSum());
        Sample(name + "_count", labels, point.GetHistogramCount());
    }
}
