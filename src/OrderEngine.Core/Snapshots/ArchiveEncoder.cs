// Orders as records of the archive, and back: the blocks that a snapshot holds of them, so that there is one way of writing an order.
// (proto/orderengine/journal/snapshot.proto, ArchivedOrder.) One thread an encoder; decoding on any thread.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

/// <summary>Encodes orders for the archive.</summary>
public sealed class ArchiveEncoder
{
    private const int Format = 1, Block = 2;
    private readonly EventBuffer _record = new();
    private readonly SnapshotWriter _writer;

    /// <summary>Encodes orders of this state.</summary>
    public ArchiveEncoder(StateReader reader) => _writer = new SnapshotWriter(reader, block => _record.Bytes(Block, block));

    /// <summary>One order as it stood at a sequence, with its history. Call inside a guard; the order must exist there.</summary>
    public byte[] Encode(long order, long at)
    {
        _record.Truncate(0);
        _record.Number(Format, SnapshotFormat.Version);
        _writer.WriteSingle(order, at);
        return _record.Written.ToArray();
    }

    /// <summary>The order in a record.</summary>
    /// <exception cref="SnapshotContentException">The record makes no sense.</exception>
    internal static ArchivedOrder Decode(EngineState state, ReadOnlySpan<byte> record)
    {
        try
        {
            var order = new ArchivedOrder();
            SnapshotLoader? loader = null;
            var reader = new ProtoReader(record);
            while (reader.Next(out var field, out var wireType))
            {
                if (field == Format) loader = new SnapshotLoader(state, order, reader.Int());
                else if (field == Block && loader is not null) loader.AddSingle(reader.Bytes());
                else reader.Skip(wireType);
            }
            if (order.Row.Length == 0) throw new SnapshotContentException("There is no order in it.");
            return order;
        }
        catch (Exception error) when (error is not SnapshotContentException)
        {
            throw new SnapshotContentException($"An archived order cannot be read: {error.Message}", error);
        }
    }
}
