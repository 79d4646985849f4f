// What the load tool writes and reads of a stream's messages without generated classes must be what they would have written and read.

using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public sealed class StreamedOrdersTests
{
    public static TheoryData<bool, int, int> Workloads => new() { { false, 0, 0 }, { true, 0, 0 }, { false, 1_000, 0 }, { false, 0, 50 }, { true, 1_000, 50 } };

    [Theory]
    [MemberData(nameof(Workloads))]
    public void A_message_is_byte_for_byte_that_of_the_generated_classes(bool hot, int customers, int backorders)
    {
        var workload = new Workload("run", hot, customers: customers, backorders: backorders);
        var expected = new StreamSubmitOrdersRequest();
        foreach (var (skipped, firstSeq) in new[] { (0, 1UL), (5, 127UL), (90, 128UL), (2_000_000_000, ulong.MaxValue - 200) })
        {
            workload.Next(skipped);
            var batch = new StreamedBatch();
            batch.Prepare(workload, 100);
            batch.Write(workload, firstSeq);
            expected.Orders.Clear();
            for (var i = 0; i < 100; i++)
            {
                var request = new SubmitOrderRequest();
                workload.Fill(request, batch.FirstIndex + i);
                expected.Orders.Add(new StreamedOrder { ClientSeq = firstSeq + (ulong)i, Request = request });
            }
            Assert.Equal(expected.ToByteArray(), batch.Message.ToArray());
            // The same one again, as the pool hands it out.
            batch.Write(workload, firstSeq);
            Assert.Equal(expected.ToByteArray(), batch.Message.ToArray());
        }
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public void Results_are_read_as_the_ledger_needs_them(int segment)
    {
        var refused = new Google.Rpc.Status { Code = 8, Message = "full" };
        var message = new StreamSubmitOrdersResponse
        {
            Results =
            {
                new SubmitResult { ClientSeq = 1, Accepted = new SubmitOrderResponse { OrderId = "O-1", Sequence = 7, Etag = "x", AcceptTime = new Timestamp { Seconds = 5 }, Replayed = true } },
                new SubmitResult { ClientSeq = 300, Refused = refused },
                new SubmitResult { ClientSeq = 301, Accepted = new SubmitOrderResponse { OrderId = "Ö-2" } },
                new SubmitResult { ClientSeq = 302 },
            },
        };
        var results = StreamedResults.Read(Pieces(message.ToByteArray(), segment)).Results;
        Assert.Equal([1UL, 300UL, 301UL, 302UL], results.Select(result => result.ClientSeq));
        Assert.Equal(refused, results[1].Other!.Refused);
        Assert.Equal(SubmitResult.ResultOneofCase.None, results[3].Other!.ResultCase);
        Assert.Equal((0L, 0L), (results[1].OrderPrint, results[3].OrderPrint));
        // What was booked from the bytes is found by the id that a later answer or the snapshot tells.
        var ledger = new OrderLedger();
        ledger.Acknowledge(1, results[0].OrderPrint);
        ledger.Acknowledge(2, results[2].OrderPrint);
        Assert.Null(results[0].Other);
        Assert.True(ledger.WasAcknowledgedAs(1, "O-1") && ledger.WasAcknowledgedAs(2, "Ö-2"));
        Assert.False(ledger.WasAcknowledgedAs(1, "Ö-2"));
        Assert.False(ledger.WasAcknowledgedAs(1, new string('O', 500)));
    }

    [Fact]
    public void A_message_that_is_none_is_an_error() => Assert.Throws<FormatException>(() => StreamedResults.Read(new ReadOnlySequence<byte>([0x0A, 0x10, 1])));

    private static ReadOnlySequence<byte> Pieces(byte[] message, int length)
    {
        if (length > message.Length) return new ReadOnlySequence<byte>(message);
        Piece? first = null, last = null;
        foreach (var piece in message.Chunk(length)) last = new Piece(piece, last) is var next && first is null ? first = next : next;
        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, Piece? before)
        {
            Memory = bytes;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
