// The rules of single fields, each with its bound from OrderEngine.Core.Limits. Any thread.
//
// Google.Protobuf replaces what is not UTF-8 by U+FFFD while it parses, so a text that holds U+FFFD cannot be told from a broken one:
// both are refused.

using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using Enum = System.Enum;

namespace OrderEngine.Server.Mapping;

/// <summary>Checks of fields. Each returns the value for the core, and adds a violation when the field breaks its rule.</summary>
internal static class Fields
{
    private const long MicrosPerSecond = 1_000_000;
    private const long LastSecond = 253_402_300_799; // 9999-12-31T23:59:59Z, where google.protobuf.Timestamp ends

    /// <summary>The actor of a request that names none.</summary>
    public static readonly byte[] Anonymous = "anonymous"u8.ToArray();

    /// <summary>A required id as UTF-8.</summary>
    public static byte[] Id(ref Violations violations, FieldPath path, string value)
    {
        CheckId(ref violations, path, value);
        return Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Checks a required id.</summary>
    /// <returns>True when it is sound.</returns>
    public static bool CheckId(ref Violations violations, FieldPath path, string value) =>
        value.Length == 0 ? Broken(ref violations, path, "is required") : CheckOptionalId(ref violations, path, value, Limits.IdBytes);

    /// <summary>Checks a text under the rules of ids that may be empty.</summary>
    /// <returns>True when it is sound.</returns>
    public static bool CheckOptionalId(ref Violations violations, FieldPath path, string value, int maxBytes = Limits.IdBytes)
    {
        if (value.Length == 0) return true;
        if (value.Length > maxBytes || Encoding.UTF8.GetByteCount(value) > maxBytes)
            return Broken(ref violations, path, $"must be at most {maxBytes} bytes of UTF-8");
        if (char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1])) return Broken(ref violations, path, "must not begin or end with white space");
        foreach (var c in value)
        {
            if (c == '\uFFFD') return Broken(ref violations, path, "must be valid UTF-8 (and without U+FFFD)");
            if (char.IsControl(c)) return Broken(ref violations, path, "must not contain control characters");
        }
        return true;
    }

    /// <summary>A text that may be empty, as UTF-8; under the rules of ids.</summary>
    public static byte[] OptionalId(ref Violations violations, FieldPath path, string value, int maxBytes = Limits.IdBytes)
    {
        CheckOptionalId(ref violations, path, value, maxBytes);
        return Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Free text of the catalog as UTF-8.</summary>
    public static byte[] Text(ref Violations violations, FieldPath path, string value, int maxBytes)
    {
        CheckText(ref violations, path, value, maxBytes);
        return value.Length == 0 ? [] : Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Checks free text.</summary>
    public static void CheckText(ref Violations violations, FieldPath path, string value, int maxBytes)
    {
        if (value.Length > maxBytes || Encoding.UTF8.GetByteCount(value) > maxBytes) Broken(ref violations, path, $"must be at most {maxBytes} bytes of UTF-8");
        else if (value.Contains('\uFFFD', StringComparison.Ordinal)) Broken(ref violations, path, "must be valid UTF-8 (and without U+FFFD)");
    }

    /// <summary>A reason code.</summary>
    public static byte[] Reason(ref Violations violations, FieldPath path, string value)
    {
        if (value.Length > Limits.ReasonBytes || value.AsSpan().ContainsAnyExcept(ReasonLetters))
            Broken(ref violations, path, $"must be a code of at most {Limits.ReasonBytes} upper-case letters, digits and underscores");
        return Encoding.UTF8.GetBytes(value);
    }

    private static readonly System.Buffers.SearchValues<char> ReasonLetters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    /// <summary>Who asks: whom the credential names, or, of a trusted caller, whom the request names; "anonymous" when nobody is.</summary>
    public static byte[] Actor(ref Violations violations, Actor? actor)
    {
        var caller = Grant.Current.Caller;
        var named = actor is null || actor.Id.Length == 0 ? Anonymous : OptionalId(ref violations, "actor.id", actor.Id);
        return caller.IsTrusted ? named : caller.Actor;
    }

    /// <summary>In which role; when none is named, the command's usual one, or what the credential has instead.</summary>
    public static Core.Role Role(ref Violations violations, Actor? actor, CommandKind kind)
    {
        var role = actor?.Role ?? Contracts.V1.Role.Unspecified;
        CheckEnum(ref violations, "actor.role", role);
        return role == Contracts.V1.Role.Unspecified ? Grant.Current.UsualRole(Transitions.Of(kind)) : (Core.Role)role;
    }

    /// <summary>Checks that an enum's number is one that the contract knows.</summary>
    public static void CheckEnum<T>(ref Violations violations, FieldPath path, T value) where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) Broken(ref violations, path, $"must be a value of {typeof(T).Name}");
    }

    /// <summary>Checks that an enum's number is one that the contract knows, and not the unspecified one.</summary>
    public static void CheckChosen<T>(ref Violations violations, FieldPath path, T value) where T : struct, Enum
    {
        if (EqualityComparer<T>.Default.Equals(value, default)) Broken(ref violations, path, "is required");
        else CheckEnum(ref violations, path, value);
    }

    /// <summary>Units of a line.</summary>
    public static void CheckQuantity(ref Violations violations, FieldPath path, int value)
    {
        if (value is < 1 or > Limits.QuantityPerLine) Broken(ref violations, path, "must be 1 to 1,000,000");
    }

    /// <summary>A whole number within bounds.</summary>
    public static void CheckRange(ref Violations violations, FieldPath path, long value, long min, long max)
    {
        if (value < min || value > max) Broken(ref violations, path, string.Create(CultureInfo.InvariantCulture, $"must be {min:N0} to {max:N0}"));
    }

    /// <summary>How many entries a list has.</summary>
    /// <returns>True when it may be looked at entry by entry.</returns>
    public static bool CheckCount(ref Violations violations, FieldPath path, int count, int min, int max)
    {
        if (count >= min && count <= max) return true;
        return Broken(ref violations, path, min == 0
            ? string.Create(CultureInfo.InvariantCulture, $"must have at most {max:N0} entries")
            : string.Create(CultureInfo.InvariantCulture, $"must have {min:N0} to {max:N0} entries"));
    }

    /// <summary>A message that must be there.</summary>
    public static bool CheckPresent(ref Violations violations, FieldPath path, IMessage? message) =>
        message is not null || Broken(ref violations, path, "is required");

    /// <summary>A packed currency; 0 when it is empty and may be.</summary>
    public static int Currency(ref Violations violations, FieldPath path, string value, bool required)
    {
        if (value.Length == 0 && !required) return 0;
        if (value.Length != 3 || value.AsSpan().ContainsAnyExceptInRange('A', 'Z'))
        {
            Broken(ref violations, path, "must be an ISO 4217 code: three upper-case letters");
            return 0;
        }
        return Core.Currency.Pack([(byte)value[0], (byte)value[1], (byte)value[2]]);
    }

    /// <summary>The version that an etag names; 0 for none.</summary>
    public static long Etag(ref Violations violations, FieldPath path, string value)
    {
        if (value.Length == 0) return 0;
        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0 && value[0] != '0') return version;
        Broken(ref violations, path, "must be an etag as answered by the engine");
        return 0;
    }

    /// <summary>Microseconds since 1970; 0 when absent.</summary>
    public static long Time(ref Violations violations, FieldPath path, Timestamp? value)
    {
        if (value is null) return 0;
        if (value.Seconds is >= 0 and <= LastSecond && value.Nanos is >= 0 and <= 999_999_999)
        {
            var micros = value.Seconds * MicrosPerSecond + value.Nanos / 1_000;
            if (micros > 0) return micros;
        }
        Broken(ref violations, path, "must be a time after 1970-01-01T00:00:00Z and before the year 10000");
        return 0;
    }

    /// <summary>A time to live in microseconds.</summary>
    public static long Ttl(ref Violations violations, FieldPath path, Duration? value)
    {
        if (value is null)
        {
            Broken(ref violations, path, "is required");
            return 0;
        }
        if (value.Seconds is >= 0 and <= LastSecond && value.Nanos is >= 0 and <= 999_999_999)
        {
            var micros = value.Seconds * MicrosPerSecond + value.Nanos / 1_000;
            if (micros is >= Limits.ReservationTtlMinMicros and < Limits.ReservationTtlMaxMicros) return micros;
            if (micros == Limits.ReservationTtlMaxMicros && value.Nanos == 0) return micros;
        }
        Broken(ref violations, path, "must be 1 second to 24 hours");
        return 0;
    }

    /// <summary>A lead time in whole seconds; 0 when absent.</summary>
    public static long LeadTime(ref Violations violations, FieldPath path, Duration? value)
    {
        if (value is null) return 0;
        if (value.Seconds is < 0 or > Limits.LeadTimeSeconds || value.Nanos != 0) Broken(ref violations, path, "must be whole seconds, 0 to 3 years");
        return value.Seconds;
    }

    /// <summary>How long before its end a hold is reminded of, in whole seconds; 0 when absent.</summary>
    public static long HoldReminder(ref Violations violations, FieldPath path, Duration? value)
    {
        if (value is null) return 0;
        if (value.Seconds is < 0 or > Limits.HoldRemindSeconds || value.Nanos != 0) Broken(ref violations, path, "must be whole seconds, 0 to 12 hours");
        return value.Seconds;
    }

    /// <summary>How long something may wait, in whole seconds; 0 when absent.</summary>
    public static long Wait(ref Violations violations, FieldPath path, Duration? value)
    {
        if (value is null) return 0;
        if (value.Seconds is < 1 or > Limits.WaitSeconds || value.Nanos != 0) Broken(ref violations, path, "must be whole seconds, 1 second to 366 days");
        return value.Seconds;
    }

    /// <summary>A minimum sequence of a read.</summary>
    public static void CheckMinSequence(ref Violations violations, long value)
    {
        if (value < 0) Broken(ref violations, "min_sequence", "must not be negative");
    }

    /// <summary>A page size: the default for 0.</summary>
    public static int PageSize(ref Violations violations, int value)
    {
        if (value is < 0 or > ServerLimits.MaxPage) Broken(ref violations, "page_size", "must be 0 to 1,000");
        return value == 0 ? ServerLimits.DefaultPage : value;
    }

    /// <summary>Checks personal details; all are optional.</summary>
    public static void CheckPersonal(ref Violations violations, string path, PersonalDetails? details)
    {
        if (details is null) return;
        CheckText(ref violations, new FieldPath(path + ".name"), details.Name, Limits.PersonalFieldBytes);
        CheckText(ref violations, new FieldPath(path + ".phone"), details.Phone, Limits.PersonalFieldBytes);
        CheckText(ref violations, new FieldPath(path + ".email"), details.Email, Limits.PersonalFieldBytes);
        if (CheckCount(ref violations, new FieldPath(path + ".address_lines"), details.AddressLines.Count, 0, Limits.AddressLines))
        {
            for (var i = 0; i < details.AddressLines.Count; i++)
                CheckText(ref violations, new FieldPath(path + ".address_lines", i), details.AddressLines[i], Limits.PersonalFieldBytes);
        }
        CheckText(ref violations, new FieldPath(path + ".city"), details.City, Limits.PersonalFieldBytes);
        CheckText(ref violations, new FieldPath(path + ".postal_code"), details.PostalCode, Limits.PersonalFieldBytes);
        if (details.CountryCode.Length != 0 && (details.CountryCode.Length != 2 || details.CountryCode.AsSpan().ContainsAnyExceptInRange('A', 'Z')))
            Broken(ref violations, new FieldPath(path + ".country_code"), "must be an ISO 3166-1 code: two upper-case letters, or empty");
        CheckText(ref violations, new FieldPath(path + ".note"), details.Note, Limits.PersonalNoteBytes);
        // Fields that this version does not know are kept too, so the whole has a bound of its own.
        if (!violations.Any && details.CalculateSize() > PersonalVault.MaxPlaintext)
            Broken(ref violations, new FieldPath(path), $"must be at most {PersonalVault.MaxPlaintext} bytes in all");
    }

    private static bool Broken(ref Violations violations, FieldPath path, string rule)
    {
        violations.Add(path, rule);
        return false;
    }
}
