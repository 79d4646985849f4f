// Messages from a seed: sound by their descriptors, then spoilt byte by byte.

using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace OrderEngine.Server.Tests.Abuse;

/// <param name="random">Where everything comes from.</param>
/// <param name="ids">Ids that name something, so that messages get past the first look-up.</param>
internal sealed class MessageMutator(Random random, string[] ids)
{
    private const int Deepest = 5;
    private static readonly long[] Edges = [0, 1, 2, 3, 100, -1, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 1_000_000, 1_000_001];
    private byte[] _before = [];

    /// <summary>The next message of a type; null when the bytes are not one.</summary>
    public IMessage? Next(MessageDescriptor type)
    {
        var bytes = NextBytes(type);
        try
        {
            var message = type.Parser.ParseFrom(bytes);
            // A sequence that never comes is waited for, which is a test of its own.
            type.FindFieldByName("min_sequence")?.Accessor.Clear(message);
            return message;
        }
        catch (Exception unread) when (unread is InvalidProtocolBufferException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            // The others are what Google.Protobuf throws at negative lengths of unknown fields; WireTests shows what a client gets.
            return null;
        }
    }

    /// <summary>The bytes of the next message of a type, sound or not.</summary>
    public byte[] NextBytes(MessageDescriptor type) => random.Next(50) == 0 ? Noise() : Spoil(Make(type, 0).ToByteArray());

    private byte[] Noise()
    {
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Spoil(byte[] sound)
    {
        var bytes = new List<byte>(sound);
        // One in three stays sound.
        for (var n = random.Next(3); n > 0 && bytes.Count > 0; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 16), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                default:
                    if (_before.Length > 0) bytes.InsertRange(at, _before.Skip(random.Next(_before.Length)).Take(length));
                    break;
            }
        }
        _before = sound;
        return [.. bytes];
    }

    private IMessage Make(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (random.Next(4) == 0 || field.IsMap || depth == Deepest && field.FieldType == FieldType.Message) continue;
            if (!field.IsRepeated)
            {
                field.Accessor.SetValue(message, Value(field, depth));
                continue;
            }
            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            for (var n = random.Next(4); n > 0; n--) list.Add(Value(field, depth));
        }
        return message;
    }

    private object Value(FieldDescriptor field, int depth)
    {
        var number = random.Next(3) > 0 ? random.Next(20) : Edges[random.Next(Edges.Length)];
        return field.FieldType switch
        {
            FieldType.Message => Make(field.MessageType, depth + 1),
            FieldType.String => Text(),
            FieldType.Bytes => ByteString.CopyFrom(Noise()),
            FieldType.Bool => random.Next(2) == 0,
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, (int)number),
            FieldType.Double => (double)number,
            FieldType.Float => (float)number,
            FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)number,
            FieldType.UInt32 or FieldType.Fixed32 => (uint)number,
            FieldType.UInt64 or FieldType.Fixed64 => (ulong)number,
            _ => number,
        };
    }

    private string Text() => random.Next(8) switch
    {
        0 => "",
        1 => new string((char)random.Next(1, 0xFFFF), random.Next(1, 4)),
        2 => new string('x', random.Next(1, 400)),
        3 => "n-" + random.Next(1_000_000),
        _ => ids[random.Next(ids.Length)],
    };
}
