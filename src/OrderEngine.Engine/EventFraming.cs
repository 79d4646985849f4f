// Puts events that are encoded already (an import) into a batch. Writer thread.

using OrderEngine.Core.Events;

namespace OrderEngine.Engine;

internal static class EventFraming
{
    private const byte EventsTag = 1 << 3 | 2;

    /// <summary>Appends one encoded event as an entry of orderengine.journal.Events.</summary>
    public static void AppendEncoded(this EventBuffer buffer, ReadOnlySpan<byte> encoded)
    {
        Span<byte> head = stackalloc byte[6];
        head[0] = EventsTag;
        var at = 1;
        for (var length = (uint)encoded.Length; ; length >>= 7)
        {
            head[at++] = (byte)(length >= 0x80 ? length | 0x80 : length);
            if (length < 0x80) break;
        }
        buffer.Raw(head[..at]);
        buffer.Raw(encoded);
    }
}
