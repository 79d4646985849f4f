// Header blocks of HTTP/2 (HPACK, RFC 7541), as far as a gRPC client needs them: what it sends is made once a method, of what it gets only the status and
// the trailers are looked at. Pure.

using System.Text;
using Grpc.Core;

namespace OrderEngine.Load.Transport;

/// <summary>Writes the header block of a call.</summary>
internal static class RequestHeaders
{
    // Positions in HPACK's static table (RFC 7541, appendix A).
    private const int Authority = 1, MethodPost = 3, Path = 4, SchemeHttp = 6, ContentType = 31, UserAgent = 58;

    /// <summary>The fields that Grpc.Net.Client sends, so that the server has as much to read; no compression is offered, since none could be read. Nothing is put into a table, so that it is the same for every call.</summary>
    public static byte[] Of(string path, string authority)
    {
        var block = new List<byte> { 0x80 | MethodPost, 0x80 | SchemeHttp };
        Literal(block, Path, path);
        Literal(block, Authority, authority);
        Literal(block, ContentType, "application/grpc");
        Literal(block, UserAgent, "orderengine-load");
        Literal(block, "te", "trailers");
        Literal(block, "grpc-accept-encoding", "identity");
        return [.. block];
    }

    private static void Literal(List<byte> block, int name, string value)
    {
        Number(block, 0, 4, name);
        Text(block, value);
    }

    private static void Literal(List<byte> block, string name, string value)
    {
        block.Add(0);
        Text(block, name);
        Text(block, value);
    }

    private static void Text(List<byte> block, string text)
    {
        Number(block, 0, 7, text.Length);
        block.AddRange(Encoding.ASCII.GetBytes(text));
    }

    // RFC 7541, section 5.1.
    private static void Number(List<byte> block, byte first, int bits, int value)
    {
        var most = (1 << bits) - 1;
        if (value < most)
        {
            block.Add((byte)(first | value));
            return;
        }
        block.Add((byte)(first | most));
        for (value -= most; value >= 128; value >>= 7) block.Add((byte)(value | 128));
        block.Add((byte)value);
    }
}

/// <summary>
/// Walks a header block of an answer. The client allows the server no dynamic table, so each block stands for itself. Names of the static table other than
/// ":status" come out empty: gRPC's are not in it.
/// </summary>
internal ref struct HeaderFields(ReadOnlySpan<byte> block)
{
    private const int StaticEntries = 61;
    private static readonly string[] Statuses = ["200", "204", "206", "304", "400", "404", "500"];
    private const int FirstStatus = 8;

    private ReadOnlySpan<byte> _rest = block;

    /// <summary>The field's name, in lower case.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The field's value.</summary>
    public string Value { get; private set; } = "";

    /// <summary>Goes to the next field; false: there is none.</summary>
    /// <exception cref="InvalidDataException">The block is damaged, or in a form that this reader does not read.</exception>
    public bool Next()
    {
        while (!_rest.IsEmpty)
        {
            var first = _rest[0];
            if ((first & 0x80) != 0)
            {
                var index = Index(7);
                (Name, Value) = index - FirstStatus is >= 0 and var at && at < Statuses.Length ? (":status", Statuses[at]) : ("", "");
                return true;
            }
            if ((first & 0xE0) == 0x20)
            {
                Number(5);
                continue;
            }
            var name = (first & 0x40) != 0 ? Index(6) : Index(4);
            Name = name == 0 ? Text() : name - FirstStatus is >= 0 and var status && status < Statuses.Length ? ":status" : "";
            Value = Text();
            return true;
        }
        return false;
    }

    private int Index(int bits) =>
        Number(bits) is var index && index <= StaticEntries ? index : throw new InvalidDataException("The server refers to a table that it was not allowed.");

    private int Number(int bits)
    {
        var most = (1 << bits) - 1;
        var value = Byte() & most;
        if (value < most) return value;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var next = Byte();
            value += (next & 127) << shift;
            if (next < 128) return value;
        }
        throw new InvalidDataException("A number in a header block is too large.");
    }

    private string Text()
    {
        if (!_rest.IsEmpty && (_rest[0] & 0x80) != 0)
            throw new InvalidDataException("The server's headers are Huffman-coded, which this client does not read: take --client grpc-dotnet.");
        var length = Number(7);
        if (length > _rest.Length) throw new InvalidDataException("A header block ends too early.");
        var text = Encoding.ASCII.GetString(_rest[..length]);
        _rest = _rest[length..];
        return text;
    }

    private byte Byte()
    {
        if (_rest.IsEmpty) throw new InvalidDataException("A header block ends too early.");
        var first = _rest[0];
        _rest = _rest[1..];
        return first;
    }
}

/// <summary>How a call ended: the fields of its last header block.</summary>
internal static class Trailers
{
    /// <summary>Reads them; null: they have no grpc-status (the headers before a message).</summary>
    /// <exception cref="InvalidDataException">The block cannot be read.</exception>
    public static (Status Status, Metadata Fields)? Read(ReadOnlySpan<byte> block)
    {
        var fields = new HeaderFields(block);
        var metadata = new Metadata();
        string? status = null, message = null;
        while (fields.Next())
        {
            switch (fields.Name)
            {
                case "": break;
                case ":status" when fields.Value != "200": return (new Status(StatusCode.Unavailable, $"The server answered with HTTP status {fields.Value}."), metadata);
                case ":status": break;
                case "grpc-status": status = fields.Value; break;
                case "grpc-message": message = Uri.UnescapeDataString(fields.Value); break;
                case var name when name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal): metadata.Add(name, FromBase64(fields.Value)); break;
                case var name: metadata.Add(name, fields.Value); break;
            }
        }
        if (status is null) return null;
        var code = int.TryParse(status, out var number) && Enum.IsDefined((StatusCode)number) ? (StatusCode)number : StatusCode.Unknown;
        return (new Status(code, message ?? ""), metadata);
    }

    // gRPC leaves the padding out.
    private static byte[] FromBase64(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}
