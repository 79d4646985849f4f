// Messages of StreamSubmitOrders as the load tool writes and reads them: from numbers to bytes, and of the results what the ledger needs. With generated
// classes a client spends nearly as much on an order of a stream as the no-op server and half of what the engine does (docs/LOAD.md), on processors that the
// server needs. A message is written by its stream's sender; results are read where they arrive.

using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>A message of orders on its way, and who waits for all of its results.</summary>
internal sealed class StreamedBatch
{
    private const int FirstBytes = 4_096;

    private readonly EventBuffer _message = new(FirstBytes);

    public long FirstIndex { get; private set; }

    public int Count { get; private set; }

    public int Answered { get; set; }

    public Response Response { get; set; }

    public TaskCompletionSource Completion { get; private set; } = null!;

    /// <summary>What goes out: a StreamSubmitOrdersRequest.</summary>
    public ReadOnlySpan<byte> Message => _message.Written;

    /// <summary>Takes the next so many orders.</summary>
    public void Prepare(Workload workload, int orders)
    {
        FirstIndex = workload.Next(orders);
        Count = orders;
        Answered = 0;
        Response = default(Response) with { Status = "" };
        Completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Writes the message; its orders are numbered from <paramref name="firstSeq"/>.</summary>
    public void Write(Workload workload, ulong firstSeq)
    {
        _message.Truncate(0);
        for (var i = 0; i < Count; i++)
        {
            var order = _message.BeginNested(StreamSubmitOrdersRequest.OrdersFieldNumber);
            _message.Number(StreamedOrder.ClientSeqFieldNumber, (long)(firstSeq + (ulong)i));
            var request = _message.BeginNested(StreamedOrder.RequestFieldNumber);
            workload.Write(_message, FirstIndex + i);
            _message.EndNested(request);
            _message.EndNested(order);
        }
    }

    public void Fail(string status)
    {
        Response = Response.And(Response.Fail(status, Count - Answered));
        Completion.TrySetResult();
    }
}

/// <summary>The result of one order.</summary>
/// <param name="ClientSeq">As sent.</param>
/// <param name="OrderPrint">What the ledger keeps of the order's id; 0: it was not accepted.</param>
/// <param name="Other">The whole result of an order that was not accepted.</param>
internal readonly record struct StreamedResult(ulong ClientSeq, long OrderPrint, SubmitResult? Other);

/// <summary>A message of results.</summary>
internal sealed class StreamedResults
{
    /// <summary>StreamSubmitOrders, whose messages are written and read so.</summary>
    public static readonly Method<StreamedBatch, StreamedResults> Method = new(
        MethodType.DuplexStreaming, OrderService.Descriptor.FullName, "StreamSubmitOrders",
        Marshallers.Create<StreamedBatch>(static (batch, context) =>
        {
            var message = batch.Message;
            context.SetPayloadLength(message.Length);
            context.GetBufferWriter().Write(message);
            context.Complete();
        }, static _ => throw new NotSupportedException("Nobody reads these.")),
        Marshallers.Create<StreamedResults>(static (_, _) => throw new NotSupportedException("Nobody sends these."), static context => Read(context.PayloadAsReadOnlySequence())));

    /// <summary>In the order in which they came.</summary>
    public List<StreamedResult> Results { get; } = [];

    /// <summary>Reads a StreamSubmitOrdersResponse.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    /// <exception cref="InvalidProtocolBufferException">A result that is no acceptance is none at all.</exception>
    internal static StreamedResults Read(in ReadOnlySequence<byte> payload)
    {
        var results = new StreamedResults();
        var reader = new ProtoReader(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());
        while (reader.Next(out var field, out var wireType))
        {
            if (field == StreamSubmitOrdersResponse.ResultsFieldNumber) results.Results.Add(ReadResult(reader.Bytes()));
            else reader.Skip(wireType);
        }
        return results;
    }

    private static StreamedResult ReadResult(ReadOnlySpan<byte> result)
    {
        var reader = new ProtoReader(result);
        var (clientSeq, print) = (0UL, 0L);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == SubmitResult.ClientSeqFieldNumber) clientSeq = reader.Varint();
            else if (field == SubmitResult.AcceptedFieldNumber) print = OrderPrint(reader.Bytes());
            else reader.Skip(wireType);
        }
        return new StreamedResult(clientSeq, print, print == 0 ? SubmitResult.Parser.ParseFrom(result) : null);
    }

    private static long OrderPrint(ReadOnlySpan<byte> accepted)
    {
        var reader = new ProtoReader(accepted);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == SubmitOrderResponse.OrderIdFieldNumber) return OrderLedger.Fingerprint(reader.Bytes());
            reader.Skip(wireType);
        }
        // An acceptance of no order: it is found missing in the end.
        return OrderLedger.Fingerprint([]);
    }
}
