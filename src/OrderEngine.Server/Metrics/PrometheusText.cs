// Prometheus' text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), and for who asks for it OpenMetrics 1.0, which
// can say which trace a measurement belongs to. Names after OpenTelemetry's compatibility rules: dots become underscores, units are spelled
// out at the end, counters end in _total.

using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace OrderEngine.Server.Metrics;

/// <summary>Writes metrics as text, one family after the other.</summary>
/// <param name="isOpenMetrics">True: OpenMetrics, with exemplars; else the classic format.</param>
internal sealed class PrometheusText(bool isOpenMetrics = false)
{
    /// <summary>The media type of the classic format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The media type of OpenMetrics.</summary>
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private const string Total = "_total";

    // A family's lines stand together, under one head, even if several meters of a process bring the same name (two hosts in one process do).
    private readonly List<StringBuilder> _families = [];
    private readonly Dictionary<string, StringBuilder> _byName = [];
    private StringBuilder _text = new();

    /// <inheritdoc/>
    public override string ToString() => isOpenMetrics ? string.Concat(_families) + "# EOF\n" : string.Concat(_families);

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
        var head = isOpenMetrics && type == "counter" ? name[..^Total.Length] : name;
        if (help.Length > 0) _text.Append("# HELP ").Append(head).Append(' ').Append(EscapeHelp(help)).Append('\n');
        _text.Append("# TYPE ").Append(head).Append(' ').Append(type).Append('\n');
    }

    /// <summary>Adds one line of a family.</summary>
    /// <param name="name">The family's name, with suffix.</param>
    /// <param name="labels">As <see cref="Labels"/> writes them, without braces.</param>
    /// <param name="value">Any number.</param>
    /// <param name="exemplar">As OpenMetrics writes it; empty: none.</param>
    public void Sample(string name, string labels, double value, string exemplar = "")
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append(exemplar).Append('\n');
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
        return isCounter && !result.EndsWith(Total, StringComparison.Ordinal) ? result + Total : result;
    }

    /// <summary>Labels as they stand between the braces.</summary>
    public static string Labels(ReadOnlyTagCollection tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags) Label(text, key, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
        return text.ToString();
    }

    /// <summary>The name of a label: sound characters.</summary>
    public static string LabelName(string key)
    {
        var sound = string.Create(key.Length, key, static (name, from) =>
        {
            for (var i = 0; i < name.Length; i++) name[i] = char.IsAsciiLetterOrDigit(from[i]) ? from[i] : '_';
        });
        return sound.Length == 0 || char.IsAsciiDigit(sound[0]) ? "_" + sound : sound;
    }

    /// <summary>Appends one label.</summary>
    public static void Label(StringBuilder text, string key, string value)
    {
        if (text.Length > 0) text.Append(',');
        text.Append(LabelName(key)).Append("=\"");
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

    private string EscapeHelp(string help)
    {
        var escaped = help.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        return isOpenMetrics ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    // OpenMetrics knows one way to write a bound, so that it is the same label everywhere.
    private string Bound(double bound)
    {
        var text = isOpenMetrics && bound >= 1_000_000 && !double.IsInfinity(bound) ? bound.ToString("0.################e+00", CultureInfo.InvariantCulture) : Number(bound);
        return isOpenMetrics && text.All(char.IsAsciiDigit) ? text + ".0" : text;
    }

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
        var exemplars = isOpenMetrics && point.TryGetExemplars(out var found) ? Newest(found) : [];
        var below = double.NegativeInfinity;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            var text = new StringBuilder(labels);
            Label(text, "le", Bound(bucket.ExplicitBound));
            var exemplar = exemplars.FirstOrDefault(one => one.Value > below && one.Value <= bucket.ExplicitBound).Text ?? "";
            Sample(name + "_bucket", text.ToString(), cumulative, exemplar);
            below = bucket.ExplicitBound;
        }
        Sample(name + "_sum", labels, point.GetHistogramSum());
        Sample(name + "_count", labels, point.GetHistogramCount());
    }

    // One a bucket is written, the newest. The trace is what leads on from here; its span is of no use without it.
    private static List<(double Value, string Text)> Newest(ReadOnlyExemplarCollection exemplars)
    {
        var newest = new List<(DateTimeOffset At, double Value, string Text)>();
        foreach (ref readonly var exemplar in exemplars)
        {
            if (exemplar.TraceId == default) continue;
            var at = exemplar.Timestamp.ToUnixTimeMilliseconds() / 1000d;
            newest.Add((exemplar.Timestamp, exemplar.DoubleValue, string.Create(CultureInfo.InvariantCulture, $" # {{trace_id=\"{exemplar.TraceId}\"}} {exemplar.DoubleValue:R} {at:0.000}")));
        }
        return [.. newest.OrderByDescending(one => one.At).Select(one => (one.Value, one.Text))];
    }
}
