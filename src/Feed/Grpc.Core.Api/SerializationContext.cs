// Where a marshaller writes to and reads from. The transport (Grpc.AspNetCore.Server, Grpc.Net.Client) implements both;
// a context lives for one message and on one thread.

using System.Buffers;

namespace Grpc.Core;

/// <summary>Takes the bytes of one message: either one array, or a buffer written in place and then completed.</summary>
public abstract class SerializationContext
{
    /// <summary>Hands the whole message over as one array and ends it.</summary>
    public virtual void Complete(byte[] payload) => throw Unsupported();

    /// <summary>The buffer to write the message into.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw Unsupported();

    /// <summary>States the message's length in bytes before it is written, so that the buffer need not be copied.</summary>
    public virtual void SetPayloadLength(int payloadLength) { }

    /// <summary>Ends a message that was written into the buffer.</summary>
    public virtual void Complete() => throw Unsupported();

    private NotSupportedException Unsupported() => new($"{GetType()} does not take messages in this way.");
}

/// <summary>Gives the bytes of one message.</summary>
public abstract class DeserializationContext
{
    /// <summary>The message's length in bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>The message in an array that belongs to the caller.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw Unsupported();

    /// <summary>The message in the transport's memory, valid only until the deserializer returns.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw Unsupported();

    private NotSupportedException Unsupported() => new($"{GetType()} does not give messages in this way.");
}
