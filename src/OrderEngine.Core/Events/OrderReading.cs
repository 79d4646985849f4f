// Where the event that accepted an order says what is looked up there later. Any thread.

namespace OrderEngine.Core.Events;

/// <summary>Fields of orderengine.journal.OrderSubmitted that are read apart from the whole.</summary>
public static class OrderReading
{
    /// <summary>The region that the order goes to.</summary>
    public const int RegionField = 220;

    /// <summary>The region that the order goes to; empty when the body names none. It stands near the beginning, before the lines.</summary>
    public static ReadOnlySpan<byte> Region(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == RegionField) return reader.Bytes();
            reader.Skip(wireType);
        }
        return default;
    }
}
