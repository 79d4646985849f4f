// What only a foreign or a broken client sends: bytes that are not protobuf, not UTF-8, too many, too late.

using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class WireTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private EngineStatus _before = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
        _before = await _server.StatusAsync();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_raw_call_works()
    {
        Assert.Null(await RawCall.SendAsync(_server, "OrderService/SubmitOrder", Shop.Submit().ToByteArray()));
    }

    [Theory]
    [InlineData(new byte[] { 0xff }, "a byte that never occurs")]
    [InlineData(new byte[] { 0xc3 }, "a letter cut short")]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 }, "half a surrogate pair")]
    [InlineData(new byte[] { 0xc0, 0x80 }, "an overlong NUL")]
    [InlineData(new byte[] { 0xf4, 0x90, 0x80, 0x80 }, "beyond the last code point")]
    public async Task A_text_that_is_not_UTF8_is_refused_by_its_field(byte[] bytes, string what)
    {
        // Field 1, the request id, spoiled; the rest sound.
        var sound = new SubmitOrderRequest { Order = Shop.Draft() }.ToByteArray();
        byte[] message = [0x0a, (byte)(bytes.Length + 1), (byte)'x', .. bytes, .. sound];

        var refusal = await RawCall.SendAsync(_server, "OrderService/SubmitOrder", message);

        Assert.True(refusal is not null, what);
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), (refusal.Code, refusal.Reason));
        Assert.Equal(["request_id"], refusal.Fields);
        await AssertNothingHappened();
    }

    [Theory]
    [InlineData("0AFFFFFFFF0F010203")]
    [InlineData("7AFFFFFFFF0F010203")] // an unknown field of negative length, at which the parser throws another exception
    public async Task A_message_that_is_not_protobuf_is_malformed(string message)
    {
        var refusal = await RawCall.SendAsync(_server, "OrderService/SubmitOrder", Convert.FromHexString(message));

        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), (refusal!.Code, refusal.Reason));
        await AssertNothingHappened();
    }

    [Fact]
    public async Task A_message_at_the_limit_is_read_and_one_beyond_is_not()
    {
        var request = Shop.Submit();
        var atLimit = Padded(request, ServerLimits.MessageBytes);
        var refusal = await RawCall.SendAsync(_server, "OrderService/SubmitOrder", Padded(request, ServerLimits.MessageBytes + 1));
        await AssertNothingHappened();

        Assert.Equal((StatusCode.ResourceExhausted, "MESSAGE_TOO_LARGE"), (refusal!.Code, refusal.Reason));
        Assert.Null(await RawCall.SendAsync(_server, "OrderService/SubmitOrder", atLimit));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_compressed_message_is_not_unfolded(string encoding)
    {
        var folded = new MemoryStream();
        await using (Stream fold = encoding == "gzip" ? new GZipStream(folded, CompressionLevel.Fastest, leaveOpen: true) : new ZLibStream(folded, CompressionLevel.Fastest, leaveOpen: true))
            await fold.WriteAsync(Padded(Shop.Submit(), ServerLimits.MessageBytes - 1));
        Assert.InRange(folded.Length, 1, 64 * 1024);

        var refusal = await RawCall.SendAsync(_server, "OrderService/SubmitOrder", folded.ToArray(), encoding: encoding);

        Assert.Equal(StatusCode.Unimplemented, refusal!.Code);
        await AssertNothingHappened();
    }

    [Fact]
    public async Task A_message_too_large_ends_a_stream_with_the_same_reason()
    {
        using var call = _server.Orders.StreamSubmitOrders();
        var item = Shop.Submit();
        item.Order.Delivery = new PersonalDetails { Note = new string('n', ServerLimits.MessageBytes) };
        // The server stops reading in the middle of it, so this may end in either way; the status comes with the answers.
        await Refusal.OfAsync(() => call.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = item } } }));

        var refusal = await Refusal.ExpectAsync(async () => await call.ResponseStream.MoveNext(default));

        Assert.Equal((StatusCode.ResourceExhausted, "MESSAGE_TOO_LARGE"), (refusal.Code, refusal.Reason));
        await AssertNothingHappened();
    }

    [Fact]
    public async Task A_deadline_that_has_passed_means_not_applied()
    {
        var request = Shop.Submit();

        var refusal = await RawCall.SendAsync(_server, "OrderService/SubmitOrder", request.ToByteArray(), timeout: "1u");

        Assert.Equal(StatusCode.DeadlineExceeded, refusal!.Code);
        await AssertNothingHappened();
        Assert.False((await _server.Orders.SubmitOrderAsync(request)).Replayed);
    }

    [Fact]
    public async Task An_unknown_method_is_unimplemented()
    {
        Assert.Equal(StatusCode.Unimplemented, (await RawCall.SendAsync(_server, "OrderService/Nothing", []))!.Code);
    }

    // A field that this version does not know fills the message: it is kept, as protobuf has it, and means nothing.
    private static byte[] Padded(SubmitOrderRequest request, int size)
    {
        var body = request.ToByteArray();
        const int Field = 1000;
        var overhead = CodedOutputStream.ComputeTagSize(Field) + 4;
        var output = new MemoryStream();
        output.Write(body);
        using (var coded = new CodedOutputStream(output, leaveOpen: true))
        {
            coded.WriteTag(Field, WireFormat.WireType.LengthDelimited);
            coded.WriteBytes(ByteString.CopyFrom(new byte[size - body.Length - overhead]));
        }
        Assert.Equal(size, output.Length);
        return output.ToArray();
    }

    private async Task AssertNothingHappened()
    {
        var after = await _server.StatusAsync();
        Assert.Equal((_before.Sequence, _before.StateHash), (after.Sequence, after.StateHash));
    }
}
