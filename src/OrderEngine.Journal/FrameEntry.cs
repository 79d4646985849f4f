// Writes a frame straight into FASTER's page: no copy of the payload in between. One instance, reused, on the appender's thread.

using FASTER.core;

namespace OrderEngine.Journal;

internal sealed class FrameEntry : ILogEnqueueEntry
{
    private JournalBatch batch;
    private uint previousCrc;

    /// <summary>The crc of the frame last written.</summary>
    public uint Crc { get; private set; }

    public int SerializedLength => FrameHeader.FrameSize(batch.Payload.Length);

    public void Set(in JournalBatch next, uint previous) => (batch, previousCrc) = (next, previous);

    public void SerializeTo(Span<byte> dest)
    {
        Crc = FrameHeader.Encode(dest, previousCrc, batch);
        batch = default;
    }
}
