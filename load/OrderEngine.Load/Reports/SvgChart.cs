// A line chart as inline SVG: axes, grid, lines, legend, and a table-free text alternative. No script, no network.

using System.Globalization;
using System.Net;
using System.Text;

namespace OrderEngine.Load.Reports;

/// <summary>One line of a chart. The class names its colour in the page's style sheet.</summary>
public sealed record ChartLine(string Name, string Class, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Draws charts.</summary>
public static class SvgChart
{
    private const int Width = 720;
    private const int Height = 240;
    private const int Left = 64;
    private const int Right = 16;
    private const int Top = 28;
    private const int Bottom = 36;
    private const int Ticks = 5;

    /// <summary>Draws lines over a common X axis; both axes begin at 0 unless X begins later.</summary>
    public static string Render(string title, string xLabel, string yLabel, IReadOnlyList<ChartLine> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var points = lines.SelectMany(l => l.Points).ToList();
        if (points.Count == 0) return "";
        var (xMin, xMax) = (points.Min(p => p.X), points.Max(p => p.X));
        if (xMax <= xMin) xMax = xMin + 1;
        var step = NiceStep(points.Max(p => p.Y) / Ticks);
        var yMax = Math.Max(step, Math.Ceiling(points.Max(p => p.Y) / step) * step);
        double X(double x) => Left + (x - xMin) / (xMax - xMin) * (Width - Left - Right);
        double Y(double y) => Height - Bottom - y / yMax * (Height - Top - Bottom);

        var svg = new StringBuilder();
        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Add($"<figure><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");
        Add($"<text class=\"title\" x=\"{Left}\" y=\"16\">{WebUtility.HtmlEncode(title)}</text>");
        for (var y = 0.0; y <= yMax + step / 2; y += step)
            Add($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\"/><text class=\"tick end\" x=\"{Left - 6}\" y=\"{Y(y) + 4:0.#}\">{Short(y)}</text>");
        for (var i = 0; i <= Ticks; i++)
        {
            var x = xMin + (xMax - xMin) * i / Ticks;
            Add($"<text class=\"tick mid\" x=\"{X(x):0.#}\" y=\"{Height - Bottom + 16}\">{Short(x)}</text>");
        }
        Add($"<text class=\"tick mid\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 4}\">{WebUtility.HtmlEncode(xLabel)}</text>");
        Add($"<text class=\"tick\" x=\"4\" y=\"{Top - 2}\">{WebUtility.HtmlEncode(yLabel)}</text>");
        var legend = (double)Width - Right;
        foreach (var line in lines.Reverse())
        {
            legend -= 14 + 7 * line.Name.Length;
            Add($"<text class=\"legend {line.Class}\" x=\"{legend:0}\" y=\"16\">{WebUtility.HtmlEncode(line.Name)}</text>");
        }
        foreach (var line in lines.Where(l => l.Points.Count > 0))
        {
            var path = string.Join(' ', line.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}")));
            Add($"<polyline class=\"line {line.Class}\" points=\"{path}\"><title>{WebUtility.HtmlEncode(line.Name)}</title></polyline>");
            if (line.Points.Count == 1) Add($"<circle class=\"dot {line.Class}\" cx=\"{X(line.Points[0].X):0.#}\" cy=\"{Y(line.Points[0].Y):0.#}\" r=\"3\"/>");
        }
        Add($"</svg></figure>");
        return svg.ToString();
    }

    // 1, 2 or 5 times a power of ten, not below the wish.
    internal static double NiceStep(double wish)
    {
        if (wish <= 0) return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(wish)));
        foreach (var factor in (double[])[1, 2, 5])
        {
            if (factor * power >= wish * (1 - 1e-9)) return factor * power;
        }
        return 10 * power;
    }

    private static string Short(double value) => Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + "k",
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
