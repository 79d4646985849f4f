// Reads an engine's orders as the server does: on the caller's thread, inside a guard.

using Google.Protobuf;

namespace OrderEngine.Simulation;

internal sealed class Orders(Engine.Engine engine) : IOrders
{
    /// <inheritdoc/>
    public List<ByteString> HistoryOf(long order, long at)
    {
        var reader = engine.View.Reader;
        var events = new List<ByteString>();
        using var guard = reader.Enter();
        for (long cursor = 0; reader.PreviousEvent(order, at, ref cursor, out var bytes);) events.Add(ByteString.CopyFrom(bytes));
        events.Reverse();
        return events;
    }

    /// <inheritdoc/>
    public long Find(int channel, byte[] externalId) => engine.View.Reader.FindOrder(channel, externalId);
}
