// The wire's objects and the lane's channel.

using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Benchmarks;

/// <summary>Protobuf of one submit: what parsing a request and writing an answer cost with the generated classes.</summary>
[MemoryDiagnoser]
public class WireCodec
{
    private byte[] _request = [];
    private readonly byte[] _buffer = new byte[4_096];
    private readonly SubmitOrderResponse _answer = new() { OrderId = "o0123456789abcd", Sequence = 1_234_567, State = OrderState.Ready, Etag = "1234567" };

    [GlobalSetup]
    public void Prepare()
    {
        var order = new OrderDraft { ChannelId = "load-0123456789", ExternalOrderId = "0123456789abcdef-1234567", CurrencyCode = "GBP" };
        for (var i = 0; i < Orders.LinesPerOrder; i++) order.Lines.Add(new OrderLineDraft { SkuId = "LOAD-01234", Quantity = 2, UnitPriceMinor = 995 });
        _request = new SubmitOrderRequest { RequestId = "0123456789abcdef-1234567", Order = order }.ToByteArray();
    }

    [Benchmark]
    public SubmitOrderRequest ParseRequest() => SubmitOrderRequest.Parser.ParseFrom(_request);

    [Benchmark]
    public int WriteAnswer()
    {
        _answer.WriteTo(_buffer.AsSpan(0, _answer.CalculateSize()));
        return _buffer[0];
    }
}

/// <summary>A bounded Channel as the intake lanes use it: one reader, filled and emptied by turns, and across two threads.</summary>
[MemoryDiagnoser]
public class Lane
{
    private const int Items = 4_096;

    private readonly Channel<object> _lane = System.Threading.Channels.Channel.CreateBounded<object>(new BoundedChannelOptions(Items) { SingleReader = true });
    private readonly object _item = new();

    [Benchmark(OperationsPerInvoke = Items)]
    public int FillAndEmpty()
    {
        for (var i = 0; i < Items; i++) _lane.Writer.TryWrite(_item);
        var read = 0;
        while (_lane.Reader.TryRead(out _)) read++;
        return read;
    }

    [Benchmark(OperationsPerInvoke = Items)]
    public async Task<int> AcrossThreads()
    {
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < Items; i++) await _lane.Writer.WriteAsync(_item);
        });
        for (var read = 0; read < Items;)
        {
            await _lane.Reader.WaitToReadAsync();
            while (_lane.Reader.TryRead(out _)) read++;
        }
        await writer;
        return Items;
    }
}
