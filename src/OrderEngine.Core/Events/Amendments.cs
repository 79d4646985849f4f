// What readers look for in an encoded orderengine.journal.OrderAmended. Any thread.

namespace OrderEngine.Core.Events;

/// <summary>Reads amendments in place.</summary>
public static class Amendments
{
    /// <summary>The field that holds the sealed delivery.</summary>
    public const int DeliveryField = 4;

    /// <summary>The field that says that the order's deadlines follow.</summary>
    public const int WatchedField = 260;

    /// <summary>The field that holds the reasons for which the order has to be looked at again.</summary>
    public const int ReasonsField = 261;

    /// <summary>The field of a line that says how many units wait at a place of their own.</summary>
    public const int AddedWaitingField = 290;

    /// <summary>The field that says that the delivery deadline follows the requested date without forgetting promised dates.</summary>
    public const int RegardsPromisesField = 291;

    private const int FieldsField = 1;

    /// <summary>True when the amendment changed the delivery.</summary>
    public static bool HasDelivery(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        return reader.Next(out var field, out _) && field == FieldsField && ((AmendedFields)reader.Varint() & AmendedFields.Delivery) != 0;
    }
}
