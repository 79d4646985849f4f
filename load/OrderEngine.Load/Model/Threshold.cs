// Thresholds decide the exit code: "p99Ms <= 50", "best.ordersPerSecond >= 10000", "delivery.p99Ms < 20".

using System.Globalization;

namespace OrderEngine.Load.Model;

/// <summary>A rule over one figure of a result. The figure may be preceded by a phase's or step's name and a dot.</summary>
/// <param name="Text">As written.</param>
/// <param name="Scope">Phase or step; empty: the main figures.</param>
/// <param name="Figure">Its name as in the JSON report.</param>
/// <param name="Comparison">One of &lt;= &gt;= &lt; &gt; =.</param>
/// <param name="Limit">The right-hand side.</param>
public sealed record Threshold(string Text, string Scope, string Figure, string Comparison, double Limit)
{
    private static readonly string[] Comparisons = ["<=", ">=", "<", ">", "="];

    /// <summary>Reads a rule; the message of the exception says what is wrong with it.</summary>
    /// <exception cref="FormatException">It is not of the form figure comparison number.</exception>
    public static Threshold Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var comparison in Comparisons)
        {
            var at = text.IndexOf(comparison, StringComparison.Ordinal);
            if (at <= 0) continue;
            var name = text[..at].Trim();
            if (!double.TryParse(text[(at + comparison.Length)..].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var limit)) break;
            if (name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or ' '))) break;
            var dot = name.LastIndexOf('.');
            return new Threshold(text, dot < 0 ? "" : name[..dot], name[(dot + 1)..], comparison, limit);
        }
        throw new FormatException($"'{text}' is not a threshold; write for example p99Ms<=50, failed=0 or best.ordersPerSecond>=10000");
    }

    /// <summary>True when a figure of this value passes.</summary>
    public bool Accepts(double value) => Comparison switch
    {
        "<=" => value <= Limit,
        ">=" => value >= Limit,
        "<" => value < Limit,
        ">" => value > Limit,
        _ => value.Equals(Limit),
    };
}

/// <summary>What became of a threshold.</summary>
/// <param name="Threshold">The rule.</param>
/// <param name="Value">The figure; null when the result has none of that name, which fails.</param>
public sealed record ThresholdResult(Threshold Threshold, double? Value)
{
    public bool Passed => Value is { } value && Threshold.Accepts(value);
}
