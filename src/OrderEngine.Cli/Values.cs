// Owns how values are written on the command line: durations, choices, lines of orders. Every error names the option and the fix.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using OrderEngine.Contracts.V1;
using WireDuration = Google.Protobuf.WellKnownTypes.Duration;

namespace OrderEngine.Cli;

internal static class Values
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign;

    /// <summary>An option of a duration: 500ms, 30s, 15m, 2h, 7d; a bare number counts seconds.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description + " Such as 30s, 15m, 2h, 7d.", HelpName = "DURATION",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (TryParseDuration(text, out var duration))
                return duration;
            result.AddError($"{name}: '{text}' is not a duration. Write a number and a unit: 500ms, 30s, 15m, 2h, 7d.");
            return null;
        },
    };

    /// <summary>An option of one of an enum's values, written in lower case with dashes. Left out: the unspecified value.</summary>
    public static Option<T> Choice<T>(string name, string description) where T : struct, Enum
    {
        var choices = Enum.GetValues<T>().Where(value => Convert.ToInt32(value, CultureInfo.InvariantCulture) != 0).ToDictionary(Dashed);
        return new Option<T>(name)
        {
            Description = description + " One of: " + string.Join(", ", choices.Keys) + ".", HelpName = "NAME",
            CustomParser = result =>
            {
                var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (choices.TryGetValue(text.ToLowerInvariant().Replace('_', '-'), out var value))
                    return value;
                result.AddError($"{name}: '{text}' is not known. Choose one of: {string.Join(", ", choices.Keys)}.");
                return default;
            },
        };
    }

    /// <summary>An option of one of some words.</summary>
    public static Option<string> Word(string name, string description, params string[] words) => new(name)
    {
        Description = description, HelpName = "NAME",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (!words.Contains(text))
                result.AddError($"{name}: '{text}' is not known. Choose one of: {string.Join(", ", words)}.");
            return text;
        },
    };

    /// <summary>The same, any number of times.</summary>
    public static Option<T[]> Choices<T>(string name, string description) where T : struct, Enum
    {
        var choices = Enum.GetValues<T>().Where(value => Convert.ToInt32(value, CultureInfo.InvariantCulture) != 0).ToDictionary(Dashed);
        return Many(name, description + " One of: " + string.Join(", ", choices.Keys) + ".", "NAME", text =>
            choices.TryGetValue(text.ToLowerInvariant().Replace('_', '-'), out var value)
                ? value
                : throw new UsageException($"'{text}' is not known. Choose one of: {string.Join(", ", choices.Keys)}."));
    }

    /// <summary>An option that may be given many times, each value read by <paramref name="read"/>.</summary>
    public static Option<T[]> Many<T>(string name, string description, string form, Func<string, T> read) => new(name)
    {
        Description = description, HelpName = form, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
        CustomParser = result =>
        {
            var values = new List<T>();
            foreach (var token in result.Tokens)
            {
                try
                {
                    values.Add(read(token.Value));
                }
                catch (UsageException wrong)
                {
                    result.AddError($"{name}: {wrong.Message}");
                }
            }

            return [.. values];
        },
    };

    public static Option<string[]> Ids(string name, string description) => Many(name, description, "ID", text => text);

    /// <summary>SKU=QUANTITY@PRICE, the price in minor units; without a price it is a gift.</summary>
    public static OrderLineDraft OrderLine(string text)
    {
        var price = 0L;
        var (head, tail) = SplitLast(text, '@');
        if (tail is not null && !long.TryParse(tail, Whole, CultureInfo.InvariantCulture, out price))
            throw new UsageException($"'{text}': the price '{tail}' is not a whole number of minor units (pence, cents). Write SKU=QUANTITY@PRICE, such as MUG=2@250.");
        var (sku, quantity) = SkuQuantity(head, text, "SKU=QUANTITY@PRICE, such as MUG=2@250");
        return new OrderLineDraft { SkuId = sku, Quantity = quantity, UnitPriceMinor = price };
    }

    /// <summary>SKU=QUANTITY.</summary>
    public static ReservationItem Item(string text)
    {
        var (sku, quantity) = SkuQuantity(text, text, "SKU=QUANTITY, such as MUG=2");
        return new ReservationItem { SkuId = sku, Quantity = quantity };
    }

    /// <summary>LINE=QUANTITY.</summary>
    public static LineQuantity LineQuantity(string text)
    {
        var (line, quantity) = SplitLast(text, '=');
        return new LineQuantity { LineNumber = Int(line, text, "LINE=QUANTITY, such as 1=2"), Quantity = Int(quantity, text, "LINE=QUANTITY, such as 1=2") };
    }

    /// <summary>LINE=QUANTITY@LOCATION.</summary>
    public static LineAtLocation LineAtLocation(string text)
    {
        const string form = "LINE=QUANTITY@LOCATION, such as 1=2@MAIN";
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            throw new UsageException($"'{text}' names no location. Write {form}.");
        var (line, quantity) = SplitLast(text[..at], '=');
        return new LineAtLocation { LineNumber = Int(line, text, form), Quantity = Int(quantity, text, form), LocationId = text[(at + 1)..] };
    }

    /// <summary>A point in time.</summary>
    public static Google.Protobuf.WellKnownTypes.Timestamp Time(string name, string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(time)
            : throw new UsageException($"{name}: '{text}' is not a time. Write 2026-03-01 or 2026-03-01T12:00:00Z.");

    /// <summary>LINE=QUANTITY, LINE=QUANTITY@PRICE or LINE=@PRICE of a line that is there, the price in minor units.</summary>
    public static LineAmendment LineAmendment(string text)
    {
        const string form = "LINE=QUANTITY@PRICE, such as 1=2, 1=2@250 or 1=@250";
        var (head, price) = SplitLast(text, '@');
        var (line, quantity) = SplitLast(head, '=');
        if (string.IsNullOrEmpty(quantity) && price is null)
            throw new UsageException($"'{text}' names neither quantity nor price. Write {form}.");
        var amended = new LineAmendment { LineNumber = Int(line, text, form) };
        if (!string.IsNullOrEmpty(quantity))
            amended.Quantity = Int(quantity, text, form);
        if (price is not null)
            amended.UnitPriceMinor = long.TryParse(price, Whole, CultureInfo.InvariantCulture, out var minor) ? minor : throw new UsageException($"'{text}': '{price}' is not a whole number of minor units. Write {form}.");
        return amended;
    }

    /// <summary>PARTIALLY_SHIPPED for PartiallyShipped: as the contract spells it.</summary>
    public static string Upper<T>(T value) where T : struct, Enum => Dashed(value).ToUpperInvariant().Replace('-', '_');

    /// <summary>The same; empty where nothing is said.</summary>
    public static string Said<T>(T value) where T : struct, Enum => Convert.ToInt32(value, CultureInfo.InvariantCulture) == 0 ? "" : Upper(value);

    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        var digits = text.TrimEnd("abcdefghijklmnopqrstuvwxyz".ToCharArray());
        TimeSpan? unit = text[digits.Length..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1), "" or "s" => TimeSpan.FromSeconds(1), "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1), "d" => TimeSpan.FromDays(1), _ => null,
        };
        duration = default;
        if (unit is null || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            || count * unit.Value.TotalDays > 3650)
            return false;
        duration = unit.Value * count;
        return true;
    }

    /// <summary>A duration for the wire; absent where none is given.</summary>
    public static WireDuration? Wire(TimeSpan? duration) => duration is { } given ? WireDuration.FromTimeSpan(given) : null;

    /// <summary>36h, 90m: a duration as it is typed, in the largest unit that divides it; empty when absent.</summary>
    public static string Text(WireDuration? duration) => duration?.ToTimeSpan() is not { } span ? ""
        : span.Ticks % TimeSpan.TicksPerDay == 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays}d")
        : span.Ticks % TimeSpan.TicksPerHour == 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours}h")
        : span.Ticks % TimeSpan.TicksPerMinute == 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes}m")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds}s");

    private static string Dashed<T>(T value) where T : struct, Enum
    {
        var name = new StringBuilder();
        foreach (var c in value.ToString())
        {
            if (char.IsUpper(c) && name.Length > 0)
                name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }

        return name.ToString();
    }

    private static (string Sku, int Quantity) SkuQuantity(string head, string text, string form)
    {
        var (sku, quantity) = SplitLast(head, '=');
        if (quantity is null || sku.Length == 0)
            throw new UsageException($"'{text}' names no {(sku.Length == 0 ? "SKU" : "quantity")}. Write {form}.");
        return (sku, Int(quantity, text, form));
    }

    private static int Int(string? number, string text, string form) => int.TryParse(number, Whole, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new UsageException($"'{text}': '{number}' is not a whole number. Write {form}.");

    private static (string Head, string? Tail) SplitLast(string text, char separator)
    {
        var at = text.LastIndexOf(separator);
        return at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
    }
}
