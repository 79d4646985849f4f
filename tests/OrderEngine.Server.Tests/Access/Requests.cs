// Requests made from descriptors: every field filled with something sound of the test's shop, and one of them naming somebody's object.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

/// <summary>What belongs to a channel.</summary>
internal sealed record Things(string ChannelId, string OrderId, string ReservationId, string ExternalOrderId)
{
    /// <summary>A return of another order of the channel.</summary>
    public string ReturnId { get; init; } = "";

    /// <summary>A complaint about an order of the channel.</summary>
    public string ComplaintId { get; init; } = "";

    /// <summary>An exception of an order of the channel.</summary>
    public string ExceptionId { get; init; } = "";

    /// <summary>An order and a reservation made through this caller, which may submit and reserve.</summary>
    public static async Task<Things> OfAsync(CallInvoker caller, string channel)
    {
        var draft = Shop.Draft();
        draft.ChannelId = channel;
        var order = await new OrderService.OrderServiceClient(caller).SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = draft });
        var hold = Shop.Reserve();
        hold.ChannelId = channel;
        var reservation = await new InventoryService.InventoryServiceClient(caller).CreateReservationAsync(hold);
        return new Things(channel, order.OrderId, reservation.ReservationId, draft.ExternalOrderId);
    }

    /// <summary>The same, a return and a complaint; the caller may fulfil, too.</summary>
    public static async Task<Things> WithReturnAsync(CallInvoker caller, string channel)
    {
        var things = await OfAsync(caller, channel);
        var other = Shop.Draft();
        other.ChannelId = channel;
        var sold = await Returning.DeliverAsync(new OrderService.OrderServiceClient(caller), new FulfillmentService.FulfillmentServiceClient(caller), other);
        var made = await new ReturnService.ReturnServiceClient(caller).RequestReturnAsync(Returning.Request(sold, 1, 1));
        var complaint = new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = sold, Category = ComplaintCategory.Late, Text = "text" };
        var opened = await new CustomerService.CustomerServiceClient(caller).OpenComplaintAsync(complaint);
        return things with { ReturnId = made.ReturnId, ComplaintId = opened.ComplaintId };
    }
}

internal static class Requests
{
    // What a channel owns: a credential bound to another one must not be able to tell that it is there.
    private static readonly string[] Owned = ["order_id", "order_ids", "reservation_id", "channel_id", "channel_ids", "return_id", "complaint_id"];

    // What all channels of a seller share, what the caller chooses itself, and what is looked for within its own channel only.
    private static readonly string[] Shared = ["sku_id", "sku_ids", "location_id", "location_ids", "from_location_id", "to_location_id", "incoming_id", "customer_id", "customer_ids", "request_id", "external_order_id", "external_return_id", "id"];

    /// <summary>Paths of the fields that name something owned.</summary>
    public static IEnumerable<string> Naming(MessageDescriptor message) => Paths(message, "").Where(path => Owned.Contains(Last(path)));

    /// <summary>Paths of the fields whose name is one of these.</summary>
    public static IEnumerable<string> Naming(MessageDescriptor message, ICollection<string> names) => Paths(message, "").Where(path => names.Contains(Last(path)));

    /// <summary>Paths of ids about which nothing is said here.</summary>
    public static IEnumerable<string> Unclassified(MessageDescriptor message) => Paths(message, "")
        .Where(path => (Last(path) == "id" || Last(path).EndsWith("_id", StringComparison.Ordinal) || Last(path).EndsWith("_ids", StringComparison.Ordinal))
            && !Owned.Contains(Last(path)) && !Shared.Contains(Last(path)));

    /// <summary>A sound request of channel WEB but for one field, which names something of <paramref name="things"/>; the rest is its <paramref name="own"/>.</summary>
    public static IMessage Make(MessageDescriptor type, string field, Things things, Things own, string requestId)
    {
        var request = type.Parser.ParseFrom(ByteString.Empty);
        Fill(request, "", field, things, own, requestId);
        return request;
    }

    private static void Fill(IMessage message, string prefix, string wanted, Things things, Things own, string requestId)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var path = prefix + field.Name;
            var isOnTheWay = wanted == path || wanted.StartsWith(path + ".", StringComparison.Ordinal);
            // Of a choice the wanted branch, or else the first; ids of either kind name an object once, not twice.
            if (field.RealContainingOneof is { } choice && !isOnTheWay
                && (field != choice.Fields[0] || choice.Fields.Any(other => IsWithin(wanted, prefix + other.Name)))) continue;
            var value = Value(field, path, wanted, things, own, requestId);
            if (value is null) continue;
            if (field.IsRepeated) ((System.Collections.IList)field.Accessor.GetValue(message)).Add(value);
            else field.Accessor.SetValue(message, value);
        }
    }

    private static bool IsWithin(string wanted, string path) => wanted == path || wanted.StartsWith(path + ".", StringComparison.Ordinal);

    private static object? Value(FieldDescriptor field, string path, string wanted, Things things, Things own, string requestId)
    {
        if (field.IsMap) return null;
        // They go with one of the payment terms only, and sum to the value of the lines.
        if (field.FieldType == FieldType.Message && field.MessageType == Instalment.Descriptor) return null;
        // Most orders have none; the bad-input table has them.
        if (field.FieldType == FieldType.Message && field.MessageType == OrderExtras.Descriptor) return null;
        if (field.FieldType == FieldType.Message)
        {
            if (field.MessageType == Duration.Descriptor) return Duration.FromTimeSpan(TimeSpan.FromMinutes(5));
            if (field.MessageType == FieldMask.Descriptor) return new FieldMask { Paths = { "requested_time" } };
            // Times, personal data and the actor may be left out.
            if (field.MessageType.File.Package == "google.protobuf" || field.MessageType.Name is "PersonalDetails" or "Actor") return null;
            var inner = field.MessageType.Parser.ParseFrom(ByteString.Empty);
            Fill(inner, path + ".", wanted, things, own, requestId);
            return inner;
        }
        // The first value that says something; roles are the credential's.
        if (field.FieldType == FieldType.Enum) return System.Enum.ToObject(field.EnumType.ClrType, field.EnumType.Values.First(value => value.Number > 0).Number);
        if (field.FieldType == FieldType.String) return Text(field.Name, path == wanted, wanted, things, own, requestId);
        return field.Name switch
        {
            "quantity" or "line_number" or "client_seq" => field.FieldType switch { FieldType.Int32 => 1, FieldType.Int64 => 1L, FieldType.UInt64 => 1UL, _ => null },
            "from_sequence" or "amount_minor" or "rating" => field.FieldType == FieldType.Int32 ? (object)1 : 1L,
            _ => null,
        };
    }

    private static string? Text(string name, bool isWanted, string wanted, Things things, Things own, string requestId) => (name, isWanted) switch
    {
        ("request_id", _) => requestId,
        ("order_id" or "order_ids", true) => things.OrderId,
        ("reservation_id", true) => things.ReservationId,
        ("reservation_id", false) => own.ReservationId,
        ("return_id", true) => things.ReturnId,
        // A complaint goes with a return of its own order, if with any.
        ("return_id", false) when own.ComplaintId.Length == 0 || Last(wanted) is not ("order_id" or "complaint_id") => own.ReturnId,
        // A complaint with somebody's return is about an order of its own.
        ("order_id", false) when wanted == "return_id" => own.OrderId,
        ("complaint_id", true) => things.ComplaintId,
        ("complaint_id", false) => own.ComplaintId,
        ("channel_id" or "channel_ids", true) => things.ChannelId,
        // An order is named by its id, or by channel and external id.
        ("channel_id", false) when !wanted.EndsWith("order_id", StringComparison.Ordinal) || wanted.Contains('.', StringComparison.Ordinal) => "WEB",
        ("external_order_id", _) when Last(wanted) is not "order_id" => things.ExternalOrderId,
        ("sku_id", _) => "A",
        ("location_id", _) => "L1",
        ("currency_code", _) => "GBP",
        ("reference", _) => requestId,
        ("reason" or "reason_code", _) => "TEST",
        ("text" or "note", _) => "text",
        _ => null,
    };

    private static IEnumerable<string> Paths(MessageDescriptor message, string prefix)
    {
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String) yield return prefix + field.Name;
            else if (field.FieldType == FieldType.Message && field.MessageType.File.Package == "orderengine.v1")
                foreach (var path in Paths(field.MessageType, $"{prefix}{field.Name}.")) yield return path;
        }
    }

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];
}
