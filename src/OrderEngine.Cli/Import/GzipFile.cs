// Owns the proof that a gzip file is whole. GZipStream takes a file that ends too early for one that ends, so every member is unpacked
// once and held against its trailer (RFC 1952: CRC-32 and length of the content) before any of it is used. One thread.
using System.Buffers.Binary;
using System.IO.Compression;

namespace OrderEngine.Cli.Import;

internal static class GzipFile
{
    private const int HeaderBytes = 10;
    private const int TrailerBytes = 8;
    private const int BufferBytes = 1 << 16;
    private const byte Deflate = 8;
    private const byte HasHeaderCrc = 2, HasExtra = 4, HasName = 8, HasComment = 16;
    private static ReadOnlySpan<byte> Magic => [0x1f, 0x8b];
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>True when the stream begins like gzip; its position is 0 afterwards.</summary>
    public static bool BeginsLike(FileStream file)
    {
        Span<byte> start = stackalloc byte[2];
        var packed = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(Magic);
        file.Position = 0;
        return packed;
    }

    /// <summary>Reads a gzip file to its end. A file that is not gzip passes.</summary>
    /// <exception cref="UsageException">It is cut off or damaged.</exception>
    public static void Check(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
        if (!BeginsLike(file))
            return;
        try
        {
            while (file.Position < file.Length)
                CheckMember(file);
        }
        catch (Exception broken) when (broken is EndOfStreamException or InvalidDataException)
        {
            throw new UsageException($"'{path}' is not a whole gzip file: {broken.Message} Nothing was sent. It was cut off or damaged on its way here: " +
                "fetch or write it again (gzip -t FILE checks it).");
        }
    }

    private static void CheckMember(FileStream file)
    {
        SkipHeader(file);
        var source = new NotedSource(file);
        var (crc, length) = (uint.MaxValue, 0u);
        using (var unpacked = new DeflateStream(source, CompressionMode.Decompress, leaveOpen: true))
        {
            var buffer = new byte[BufferBytes];
            for (int count; (count = unpacked.Read(buffer)) > 0; length += (uint)count)
            {
                foreach (var value in buffer.AsSpan(0, count))
                    crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
            }
        }

        // The unpacker reads ahead and does not tell where the member ended: its trailer is somewhere in what was read last, or the
        // few bytes behind it, and what it must say is known.
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, ~crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], length);
        var from = source.LastReadAt;
        var tail = new byte[source.ReadTo - from + TrailerBytes + Magic.Length];
        file.Position = from;
        tail = tail[..file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false)];
        var at = -1;
        for (var next = 0; at < 0 && tail.AsSpan(next).IndexOf(trailer) is >= 0 and var step; next += step + 1)
        {
            // The end of an empty member looks like its trailer: behind the real one comes the end or another member.
            var rest = tail.AsSpan(next + step + TrailerBytes);
            if (rest.IsEmpty || rest.StartsWith(Magic))
                at = next + step;
        }

        if (at < 0)
            throw new InvalidDataException("the checksum and length at its end are missing, or not those of its content, or something else follows them.");
        file.Position = from + at + TrailerBytes;
    }

    private static void SkipHeader(FileStream file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        file.ReadExactly(header);
        if (!header.StartsWith(Magic) || header[2] != Deflate)
            throw new InvalidDataException($"at byte {file.Position - HeaderBytes} something else follows.");
        var flags = header[3];
        if ((flags & HasExtra) != 0)
        {
            Span<byte> size = stackalloc byte[2];
            file.ReadExactly(size);
            file.Position += BinaryPrimitives.ReadUInt16LittleEndian(size);
        }

        foreach (var text in new[] { HasName, HasComment })
        {
            if ((flags & text) == 0)
                continue;
            int value;
            while ((value = file.ReadByte()) != 0)
            {
                if (value < 0)
                    throw new EndOfStreamException("its header is cut off.");
            }
        }

        if ((flags & HasHeaderCrc) != 0)
            file.Position += 2;
    }

    private static uint[] MakeCrcTable()
    {
        const uint polynomial = 0xEDB88320;
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? polynomial ^ (value >> 1) : value >> 1;
            table[i] = value;
        }

        return table;
    }

    /// <summary>Passes reads on and keeps in mind where the last two took place: a member's trailer may lie across them.</summary>
    private sealed class NotedSource(FileStream file) : Stream
    {
        private long _lastButOne = file.Position;
        private long _last = file.Position;

        public long LastReadAt => _lastButOne;

        public long ReadTo { get; private set; } = file.Position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            var at = file.Position;
            var count = file.Read(buffer);
            if (count > 0)
                (_lastButOne, _last, ReadTo) = (_last, at, at + count);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
