// Numbers back to what clients see: ids, times, etags. Any thread.

using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Server.Mapping;

/// <summary>The public forms of the core's numbers.</summary>
internal static class Texts
{
    private const long MicrosPerSecond = 1_000_000;

    /// <summary>A SKU's id.</summary>
    public static string Sku(StateReader reader, int number) => Encoding.UTF8.GetString(reader.Skus.Text(number));

    /// <summary>A location's id.</summary>
    public static string Location(StateReader reader, int number) => Encoding.UTF8.GetString(reader.Locations.Text(number));

    /// <summary>A channel's id.</summary>
    public static string Channel(StateReader reader, int number) => Encoding.UTF8.GetString(reader.Channels.Text(number));

    /// <summary>A customer's id; empty for none.</summary>
    public static string Customer(StateReader reader, int number) => number == 0 ? "" : Encoding.UTF8.GetString(reader.Customers.Text(number));

    /// <summary>An order's id.</summary>
    public static string Order(long number) => PublicId.Format(PublicId.Order, number);

    /// <summary>An exception's id.</summary>
    public static string Exception(long number) => PublicId.Format(PublicId.Exception, number);

    /// <summary>A reservation's id; empty for none.</summary>
    public static string Reservation(long number) => number == 0 ? "" : PublicId.Format(PublicId.Reservation, number);

    /// <summary>A complaint's id.</summary>
    public static string Complaint(long number) => PublicId.Format(PublicId.Complaint, number);

    /// <summary>The id of announced supply.</summary>
    public static string Incoming(long number) => PublicId.Format(PublicId.Incoming, number);

    /// <summary>A supply request's id; empty for 0.</summary>
    public static string SupplyRequest(long number) => number == 0 ? "" : PublicId.Format(PublicId.SupplyRequest, number);

    /// <summary>A return's id; empty for none.</summary>
    public static string Return(long number) => number == 0 ? "" : PublicId.Format(PublicId.Return, number);

    /// <summary>The etag of a version.</summary>
    public static string Etag(long version) => version.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time; null for 0.</summary>
    public static Timestamp? Time(long micros) =>
        micros == 0 ? null : new Timestamp { Seconds = micros / MicrosPerSecond, Nanos = (int)(micros % MicrosPerSecond) * 1_000 };
}
