// One HTTP/2 connection in the clear (RFC 9113, prior knowledge) for unary gRPC calls. A thread of its own connects, reads, looks at all that has come, lets
// those who wait go on, and then sends in one write what they asked for next: one read and one write for as many calls as there are at the moment, no thread
// woken for a call. Calls begin on any thread, and none waits: what begins before the server has said what it takes lies here until then.

using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Grpc.Core;

namespace OrderEngine.Load.Transport;

/// <summary>A call that has not been sent, with all that it takes to send it.</summary>
/// <param name="Call">Who waits for the answer.</param>
/// <param name="Headers">Its header block, shared by all calls of the method.</param>
/// <param name="Message">Its request, as bytes.</param>
internal readonly record struct UnsentCall(LeanCall Call, byte[] Headers, byte[] Message);

/// <summary>A connection. Once it is broken, or the server has said that it takes no more, it begins no call any more.</summary>
internal sealed class LeanConnection : IDisposable
{
    /// <summary>The longest request: half of what a stream and a connection take before the server has said more.</summary>
    public const int MostRequestBytes = InitialWindow / 2;

    private const int InitialWindow = 65_535;

    private const int FrameHeaderBytes = 9;
    private const int MessageHeaderBytes = 5;
    private const int MostFrameBytes = 16_384;
    private const int Window = 1 << 30;
    private const int StreamWindow = 32 * 1024 * 1024;
    private const int FirstStream = 1;
    private const int LastStream = int.MaxValue - 2;
    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;
    private const byte EndStream = 1, Ack = 1, EndHeaders = 4, Padded = 8, Prioritized = 0x20;
    private const int HeaderTableSize = 1, EnablePush = 2, MaxConcurrentStreams = 3, InitialWindowSize = 4;
    private const int RefusedStream = 7, CancelCode = 8, EnhanceYourCalm = 11;

    // As every good call ends: a literal of a new name.
    private static readonly byte[] GoodTrailers = [0, 11, .. "grpc-status"u8, 1, (byte)'0'];

    // For the server's first word.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly Thread _reader;
    private readonly string _host;
    private readonly int _port;
    private readonly Action<UnsentCall> _elsewhere;
    private readonly Lock _sync = new();
    // Calls that came before the server's first word; nobody joins them once it is greeted.
    private readonly Queue<UnsentCall> _unsent = new();
    private readonly Dictionary<int, LeanCall> _calls = [];
    private readonly Answer _answer = new();
    private readonly byte[] _buffer = new byte[256 * 1024];
    private ArrayBufferWriter<byte> _toSend = new(64 * 1024);
    private ArrayBufferWriter<byte> _sending = new(64 * 1024);
    private bool _isSending;
    private bool _isFlushQueued;
    private bool _takesNone;
    private bool _hasEnded;
    private bool _isGreeted;
    // The reading thread's.
    private bool _hasSettings;
    private int _nextStream = FirstStream;
    // As many as it likes, unless the server says otherwise.
    private int _mostStreams = int.MaxValue;
    private long _window = InitialWindow;
    private int _streamWindow = InitialWindow;
    // The reading thread's.
    private ArrayBufferWriter<byte>? _block;
    private byte _blockFlags;
    private long _received;

    /// <summary>Begins to connect, on a thread of its own; when it cannot, the calls that have begun fail.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">Of TCP.</param>
    /// <param name="elsewhere">Gets what began before the server's first word and has no room here after it. The reading thread.</param>
    public LeanConnection(string host, int port, Action<UnsentCall> elsewhere)
    {
        (_host, _port, _elsewhere) = (host, port, elsewhere);
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)Patience.TotalMilliseconds };
        Greet();
        _reader = new Thread(Read) { IsBackground = true, Name = "lean connection" };
        _reader.Start();
    }

    /// <summary>True: it is closed, and no call is under way on it.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>Sends a call, or keeps it until the server has said what it takes; false: there is no room for it now.</summary>
    /// <param name="call">Not begun.</param>
    /// <param name="headers">Its header block.</param>
    /// <param name="message">Its request, at most <see cref="MostRequestBytes"/>.</param>
    public bool TryBegin(LeanCall call, byte[] headers, ReadOnlySpan<byte> message)
    {
        lock (_sync)
        {
            if (_takesNone) return false;
            if (_isGreeted) return TrySend(call, headers, message);
            _unsent.Enqueue(new UnsentCall(call, headers, message.ToArray()));
            return true;
        }
    }

    /// <summary>Takes a call back and tells the server, if it was sent here and is not answered. Any thread.</summary>
    public void Withdraw(LeanCall call)
    {
        lock (_sync)
        {
            // Another call may have this number: the one in hand may be on its way to another connection.
            if (!_calls.TryGetValue(call.Stream, out var mine) || mine != call) return;
            _calls.Remove(call.Stream);
            WriteHead(Reset, 0, call.Stream, sizeof(int));
            WriteNumber(CancelCode);
            FlushSoon();
        }
    }

    /// <summary>Closes it; calls that are under way fail. Returns at once.</summary>
    public void Dispose() => _socket.Dispose();

    // Under the lock.
    private bool TrySend(LeanCall call, byte[] headers, ReadOnlySpan<byte> message)
    {
        call.BelongsTo(this);
        // Withdrawn before it was sent.
        if (call.HasEnded) return true;
        var length = MessageHeaderBytes + message.Length;
        if (_takesNone || _calls.Count >= _mostStreams || length > _window || length > _streamWindow) return false;
        call.Stream = _nextStream;
        _nextStream += 2;
        if (_nextStream >= LastStream) _takesNone = true;
        _window -= length;
        _calls.Add(call.Stream, call);
        WriteHead(Headers, EndHeaders, call.Stream, headers.Length);
        _toSend.Write(headers);
        WriteMessage(call.Stream, message);
        FlushSoon();
        return true;
    }

    // The reading thread sends what was written on it when it has looked at everything; for another thread the pool does, so that what it writes in one go is
    // sent in one go. Under the lock.
    private void FlushSoon()
    {
        if (_isSending || _isFlushQueued || Environment.CurrentManagedThreadId == _reader.ManagedThreadId) return;
        _isFlushQueued = true;
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Flush(), this, preferLocal: false);
    }

    private void Flush()
    {
        lock (_sync)
        {
            _isFlushQueued = false;
            if (_isSending || _toSend.WrittenCount == 0) return;
            _isSending = true;
            (_toSend, _sending) = (_sending, _toSend);
        }
        while (true)
        {
            try
            {
                for (var left = _sending.WrittenSpan; !left.IsEmpty;) left = left[_socket.Send(left)..];
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The reading thread sees it, too, and fails the calls; nothing is sent any more.
                _socket.Dispose();
                return;
            }
            lock (_sync)
            {
                _sending.ResetWrittenCount();
                if (_toSend.WrittenCount == 0)
                {
                    _isSending = false;
                    return;
                }
                (_toSend, _sending) = (_sending, _toSend);
            }
        }
    }

    private void Read()
    {
        var end = "The server has closed the connection.";
        try
        {
            _socket.Connect(_host, _port);
            Flush();
            var have = 0;
            while (_socket.Receive(_buffer.AsSpan(have)) is var read and > 0)
            {
                have += read;
                var at = 0;
                while (have - at >= FrameHeaderBytes)
                {
                    var length = (_buffer[at] << 16) | BinaryPrimitives.ReadUInt16BigEndian(_buffer.AsSpan(at + 1));
                    if (length > MostFrameBytes) throw new InvalidDataException("The server sent a frame that is longer than it may be.");
                    if (have - at < FrameHeaderBytes + length) break;
                    var stream = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(at + 5)) & int.MaxValue;
                    Take(_buffer[at + 3], _buffer[at + 4], stream, _buffer.AsMemory(at + FrameHeaderBytes, length));
                    at += FrameHeaderBytes + length;
                }
                _buffer.AsSpan(at, have - at).CopyTo(_buffer);
                have -= at;
                // After all that came with the settings: a larger window does.
                if (_hasSettings) BeginUnsent();
                Flush();
            }
        }
        catch (Exception exception)
        {
            // Whatever it is, the calls must end.
            end = exception.Message;
        }
        Break(end);
    }

    private void Break(string why)
    {
        LeanCall[] left;
        lock (_sync)
        {
            _takesNone = true;
            left = [.. _calls.Values, .. _unsent.Select(one => one.Call)];
            _calls.Clear();
            _unsent.Clear();
        }
        _socket.Dispose();
        Volatile.Write(ref _hasEnded, true);
        foreach (var call in left) call.FailLater($"{_host}:{_port}: {why}");
    }

    private void Take(byte type, byte flags, int stream, ReadOnlyMemory<byte> payload)
    {
        switch (type)
        {
            case Data:
                TakeData(flags, stream, payload);
                break;
            case Headers:
                var block = Unpadded(flags, payload).Span;
                if ((flags & Prioritized) != 0) block = block[5..];
                TakeBlock(flags, (byte)(flags & EndStream), stream, block);
                break;
            case Continuation:
                TakeBlock(flags, _blockFlags, stream, payload.Span);
                break;
            case Reset:
                var code = Number(payload.Span);
                if (Remove(stream) is { } reset) reset.End(new Status(StatusOf(code), $"The server broke the call off (HTTP/2 code {code})."), Metadata.Empty);
                break;
            case Settings when (flags & Ack) == 0:
                TakeSettings(payload.Span);
                break;
            case Ping when (flags & Ack) == 0:
                lock (_sync)
                {
                    WriteHead(Ping, Ack, 0, payload.Length);
                    _toSend.Write(payload.Span);
                }
                break;
            case GoAway:
                TakeGoAway(Number(payload.Span));
                break;
            case WindowUpdate when stream == 0:
                lock (_sync) _window += Number(payload.Span);
                break;
        }
    }

    private void TakeData(byte flags, int stream, ReadOnlyMemory<byte> payload)
    {
        GiveBack(payload.Length);
        LeanCall? call;
        lock (_sync) _calls.TryGetValue(stream, out call);
        // Withdrawn; what was on its way still comes.
        if (call is null) return;
        payload = Unpadded(flags, payload);
        if (call.Parts is null && IsWhole(payload.Span))
        {
            Read(call, payload[MessageHeaderBytes..]);
        }
        else
        {
            (call.Parts ??= new ArrayBufferWriter<byte>(2 * MostFrameBytes)).Write(payload.Span);
            if (IsWhole(call.Parts.WrittenSpan)) Read(call, call.Parts.WrittenMemory[MessageHeaderBytes..]);
        }
        // gRPC ends with trailers.
        if ((flags & EndStream) != 0 && Remove(stream) is { } ended) ended.End(new Status(StatusCode.Internal, "The answer ended without a status."), Metadata.Empty);
    }

    private static bool IsWhole(ReadOnlySpan<byte> message) =>
        message.Length >= MessageHeaderBytes && BinaryPrimitives.ReadUInt32BigEndian(message[1..]) == message.Length - MessageHeaderBytes;

    private void Read(LeanCall call, ReadOnlyMemory<byte> message)
    {
        try
        {
            _answer.Is(message);
            call.Read(_answer);
        }
        catch (Exception exception)
        {
            if (Remove(call.Stream) is not null) call.End(new Status(StatusCode.Internal, $"The answer cannot be read: {exception.Message}"), Metadata.Empty);
        }
    }

    private void TakeBlock(byte flags, byte firstFlags, int stream, ReadOnlySpan<byte> block)
    {
        if ((flags & EndHeaders) == 0 || _block is not null)
        {
            (_block ??= new ArrayBufferWriter<byte>()).Write(block);
            _blockFlags = firstFlags;
            if ((flags & EndHeaders) == 0) return;
            block = _block.WrittenSpan;
            _block = null;
        }
        if ((firstFlags & EndStream) == 0)
        {
            // The headers before the message: nothing to see in those of a good answer, whose status is the first field.
            if (block.Length > 0 && block[0] == 0x88) return;
            if (Trailers.Read(block) is { } odd && Remove(stream) is { } refused) refused.End(odd.Status, odd.Fields);
            return;
        }
        // Read first: when it cannot be, the call fails with all others.
        var (status, fields) = block.SequenceEqual(GoodTrailers) ? (Status.DefaultSuccess, Metadata.Empty)
            : Trailers.Read(block) ?? (new Status(StatusCode.Internal, "The answer ended without a status."), Metadata.Empty);
        Remove(stream)?.End(status, fields);
    }

    private void TakeSettings(ReadOnlySpan<byte> settings)
    {
        lock (_sync)
        {
            for (; settings.Length >= 6; settings = settings[6..])
            {
                var value = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(settings[2..]));
                if (BinaryPrimitives.ReadUInt16BigEndian(settings) == MaxConcurrentStreams) _mostStreams = value;
                if (BinaryPrimitives.ReadUInt16BigEndian(settings) == InitialWindowSize) _streamWindow = value;
            }
            WriteHead(Settings, Ack, 0, 0);
        }
        _hasSettings = !_isGreeted;
    }

    private void BeginUnsent()
    {
        _hasSettings = false;
        // From now on the server may be silent for as long as it likes.
        _socket.ReceiveTimeout = 0;
        while (true)
        {
            UnsentCall one;
            lock (_sync)
            {
                // From now on nobody joins them, so that what has no room does not come back.
                _isGreeted = true;
                if (!_unsent.TryDequeue(out one)) return;
                if (TrySend(one.Call, one.Headers, one.Message)) continue;
            }
            if (_nextStream > FirstStream || _takesNone) _elsewhere(one);
            // An empty connection has no room for it, and so would the next.
            else one.Call.FailLater($"{_host}:{_port}: A new connection has no room for the request.");
        }
    }

    // Calls above the last that the server has looked at are not going to be answered.
    private void TakeGoAway(int last)
    {
        LeanCall[] left;
        lock (_sync)
        {
            _takesNone = true;
            left = [.. _calls.Values.Where(call => call.Stream > last)];
            foreach (var call in left) _calls.Remove(call.Stream);
        }
        foreach (var call in left) call.FailLater("The server takes no more calls on this connection.");
    }

    private LeanCall? Remove(int stream)
    {
        lock (_sync) return _calls.Remove(stream, out var call) ? call : null;
    }

    private void GiveBack(int bytes)
    {
        _received += bytes;
        if (_received < Window / 2) return;
        lock (_sync)
        {
            WriteHead(WindowUpdate, 0, 0, sizeof(int));
            WriteNumber((int)_received);
        }
        _received = 0;
    }

    private static ReadOnlyMemory<byte> Unpadded(byte flags, ReadOnlyMemory<byte> payload) => (flags & Padded) == 0 ? payload : payload[1..^payload.Span[0]];

    private static int Number(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;

    // As gRPC over HTTP/2 maps them.
    private static StatusCode StatusOf(int code) => code switch
    {
        RefusedStream => StatusCode.Unavailable,
        CancelCode => StatusCode.Cancelled,
        EnhanceYourCalm => StatusCode.ResourceExhausted,
        _ => StatusCode.Internal,
    };

    private void Greet()
    {
        _toSend.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        ReadOnlySpan<(ushort Name, int Value)> settings = [(HeaderTableSize, 0), (EnablePush, 0), (InitialWindowSize, StreamWindow)];
        WriteHead(Settings, 0, 0, 6 * settings.Length);
        foreach (var (name, value) in settings)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_toSend.GetSpan(2), name);
            _toSend.Advance(2);
            WriteNumber(value);
        }
        WriteHead(WindowUpdate, 0, 0, sizeof(int));
        WriteNumber(Window);
    }

    private void WriteMessage(int stream, ReadOnlySpan<byte> message)
    {
        var first = Math.Min(message.Length, MostFrameBytes - MessageHeaderBytes);
        WriteHead(Data, first == message.Length ? EndStream : (byte)0, stream, MessageHeaderBytes + first);
        _toSend.GetSpan(1)[0] = 0;
        _toSend.Advance(1);
        WriteNumber(message.Length);
        _toSend.Write(message[..first]);
        for (var rest = message[first..]; !rest.IsEmpty;)
        {
            var part = Math.Min(rest.Length, MostFrameBytes);
            WriteHead(Data, part == rest.Length ? EndStream : (byte)0, stream, part);
            _toSend.Write(rest[..part]);
            rest = rest[part..];
        }
    }

    private void WriteHead(byte type, byte flags, int stream, int length)
    {
        var head = _toSend.GetSpan(FrameHeaderBytes);
        head[0] = (byte)(length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)length);
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        _toSend.Advance(FrameHeaderBytes);
    }

    private void WriteNumber(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_toSend.GetSpan(sizeof(int)), value);
        _toSend.Advance(sizeof(int));
    }

    /// <summary>The message that is read just now; one a connection.</summary>
    private sealed class Answer : DeserializationContext
    {
        private ReadOnlyMemory<byte> _message;

        public void Is(ReadOnlyMemory<byte> message) => _message = message;

        public override int PayloadLength => _message.Length;

        public override byte[] PayloadAsNewBuffer() => _message.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(_message);
    }
}
