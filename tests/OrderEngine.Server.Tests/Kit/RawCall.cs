// A unary gRPC call spelled out in HTTP/2, for what no client library lets through.

using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Tests.Kit;

internal static class RawCall
{
    /// <summary>Sends one message, whatever its bytes; null when it was accepted.</summary>
    public static async Task<Refusal?> SendAsync(TestServer server, string method, byte[] message, string? timeout = null, string? encoding = null)
    {
        using var handler = new SocketsHttpHandler();
        using var client = new HttpClient(handler);
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        if (encoding is not null) frame[0] = 1;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{server.Address}/orderengine.v1.{method}")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(frame),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (encoding is not null) request.Headers.Add("grpc-encoding", encoding);
        if (timeout is not null) request.Headers.Add("grpc-timeout", timeout);
        using var response = await client.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        var status = Value("grpc-status") ?? throw new Xunit.Sdk.XunitException($"HTTP {response.StatusCode} without a gRPC status.");
        if (status == "0") return null;
        if (Value("grpc-status-details-bin") is not { } details)
            return new Refusal((StatusCode)int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), "", [], new Dictionary<string, string>(), [], null);
        var refusal = Refusal.Of(RpcStatus.Parser.ParseFrom(Convert.FromBase64String(details.PadRight((details.Length + 3) / 4 * 4, '='))));
        Assert.Equal(status, ((int)refusal.Code).ToString(System.Globalization.CultureInfo.InvariantCulture));
        return refusal;

        // Without a message the status comes with the headers.
        string? Value(string name) => response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? values.Single() : null;
    }
}
