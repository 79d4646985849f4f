// One connection of the attacker: TCP, TLS where the target has it, and frames. Reads what the server says and counts it; sends what it is given.

using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace OrderEngine.Attacks;

/// <summary>Whom to attack.</summary>
/// <param name="Port">On this machine.</param>
/// <param name="IsTls">True: it wants TLS; whose certificate is no matter to an attacker.</param>
/// <param name="Credential">A key that was given out, or null.</param>
/// <param name="Scale">How many connections (or what the attack counts).</param>
internal sealed record Target(int Port, bool IsTls, string? Credential, int Scale);

internal sealed class Wire : IAsyncDisposable
{
    // Another than the good client's, as it would be: addresses have shares.
    private static readonly IPEndPoint From = new(IPAddress.Parse("127.0.0.2"), 0);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Counters _counters;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly CancellationTokenSource _closing = new();
    private int _lastStream = -1;
    private readonly TaskCompletionSource _pong = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private bool _answers = true;

    private Wire(Socket socket, Stream stream, Counters counters) => (_socket, _stream, _counters) = (socket, stream, counters);

    /// <summary>The number of a new stream.</summary>
    public int NextStream() => _lastStream += 2;

    /// <summary>Completes when the server has closed the connection; only of connections that read.</summary>
    public Task Ended => _reading;

    /// <summary>Completes when the server's settings are acknowledged: nothing is sent from then on but what the attack sends. Or when the connection ends.</summary>
    public Task Greeted => Task.WhenAny(_greeted.Task, _reading);

    /// <summary>Asks for a sign of life; completes when it comes. Once a connection.</summary>
    public async Task PingAsync(CancellationToken until)
    {
        try
        {
            await SendAsync(Frames.Of(FrameType.Ping, 0, 0, new byte[8]), until);
        }
        catch (IOException)
        {
            // Cut off: Ended tells.
        }
        await _pong.Task;
    }

    /// <summary>Connects, with TLS if need be, and says no word of HTTP/2.</summary>
    public static async Task<Wire> ConnectAsync(Target target, Counters counters, CancellationToken until)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(From);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, target.Port), until);
            counters.Add("connections");
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (target.IsTls)
            {
#pragma warning disable CA5359 // an attacker does not mind
                var tls = new SslStream(stream, false, (_, _, _, _) => true);
#pragma warning restore CA5359
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2] }, until);
                stream = tls;
            }
            return new Wire(socket, stream, counters);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects and begins HTTP/2; what the server says is read and counted from then on.</summary>
    /// <param name="target">Whom.</param>
    /// <param name="counters">Where it is counted.</param>
    /// <param name="until">When it is over.</param>
    /// <param name="reads">False: never reads a byte.</param>
    /// <param name="window">Bytes of an answer's data that may be sent to it; null: as usual.</param>
    /// <param name="answers">False: answers no ping, as a machine that is gone.</param>
    public static async Task<Wire> OpenAsync(Target target, Counters counters, CancellationToken until, bool reads = true, uint? window = null, bool answers = true)
    {
        var wire = await ConnectAsync(target, counters, until);
        wire._answers = answers;
        if (reads) wire.BeginReading();
        await wire.SendAsync((byte[])[.. Frames.Preface, .. window is { } bytes ? Frames.Setting(4, bytes) : Frames.Settings()], until);
        return wire;
    }

    public void BeginReading() => _reading = ReadAsync();

    /// <summary>Sends bytes; an exception when the server has closed.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken until)
    {
        await _writing.WaitAsync(until);
        try
        {
            await _stream.WriteAsync(bytes, until);
            _counters.Add("bytesSent", bytes.Length);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        // Not by the rules: an attacker does not say goodbye.
        _socket.Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[1 << 16];
        var have = 0;
        try
        {
            while (true)
            {
                var read = await _stream.ReadAsync(buffer.AsMemory(have), _closing.Token);
                if (read == 0) break;
                have += read;
                var at = 0;
                while (have - at >= Frames.HeaderBytes)
                {
                    var length = (buffer[at] << 16) | BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(at + 1));
                    if (have - at < Frames.HeaderBytes + length) break;
                    await TakeAsync((FrameType)buffer[at + 3], buffer[at + 4], buffer.AsMemory(at + Frames.HeaderBytes, length));
                    at += Frames.HeaderBytes + length;
                }
                buffer.AsSpan(at, have - at).CopyTo(buffer);
                have -= at;
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            if (_closing.IsCancellationRequested) return;
        }
        _counters.Add("closedByServer");
    }

    private async ValueTask TakeAsync(FrameType type, byte flags, ReadOnlyMemory<byte> payload)
    {
        switch (type)
        {
            case FrameType.Settings when (flags & Frames.Ack) == 0:
                await SendAsync(Frames.Of(FrameType.Settings, Frames.Ack, 0, []), _closing.Token);
                _greeted.TrySetResult();
                break;
            case FrameType.Ping when (flags & Frames.Ack) != 0: _pong.TrySetResult(); break;
            case FrameType.Ping when !_answers: _counters.Add("pingsIgnored"); break;
            case FrameType.Ping:
                await SendAsync(Frames.Of(FrameType.Ping, Frames.Ack, 0, payload.Span), _closing.Token);
                break;
            case FrameType.GoAway: _counters.Add($"goaway {Code(payload.Span[4..])}"); break;
            case FrameType.Reset: _counters.Add($"reset {Code(payload.Span)}"); break;
            case FrameType.Headers: _counters.Add("headers"); break;
            case FrameType.Data: _counters.Add("dataBytes", payload.Length); break;
        }
    }

    private static string Code(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt32BigEndian(payload) switch
    {
        0 => "NO_ERROR", 1 => "PROTOCOL_ERROR", 2 => "INTERNAL_ERROR", 3 => "FLOW_CONTROL_ERROR", 5 => "STREAM_CLOSED", 6 => "FRAME_SIZE_ERROR", 7 => "REFUSED_STREAM",
        8 => "CANCEL", 9 => "COMPRESSION_ERROR", 11 => "ENHANCE_YOUR_CALM", var other => $"{other}",
    };
}
