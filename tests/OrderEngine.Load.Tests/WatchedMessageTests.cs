// The short way in which the load tool's subscribers read messages, against the generated classes.

using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public sealed class WatchedMessageTests
{
    [Fact]
    public void It_reads_what_the_generated_classes_read()
    {
        var random = new Random(1);
        var workload = new Workload("x");
        workload.Next(500_000_000);
        var told = 0;
        for (var i = 0; i < 200; i++)
        {
            var page = new OrderEventPage();
            for (var count = random.Next(0, 40); count > 0; count--) page.Events.Add(Event(random));
            var message = new WatchOrdersResponse { Events = page, ResumeToken = new string('t', random.Next(50)), HighWatermark = random.Next() };
            Assert.Equal(
                page.Events.Select(e => new WatchedEvent(e.Sequence, e.ChangeCase == OrderEvent.ChangeOneofCase.Submitted && workload.TryIndex(e.ExternalOrderId, out var index) ? index : WatchedMessage.NoOrder)),
                WatchedMessage.Read(new ReadOnlySequence<byte>(message.ToByteArray()), workload).Events);
            told += page.Events.Count(e => e.ChangeCase == OrderEvent.ChangeOneofCase.Submitted && workload.TryIndex(e.ExternalOrderId, out _));
        }
        Assert.NotEqual(0, told);
    }

    [Fact]
    public void Other_messages_have_no_events()
    {
        foreach (var message in new[] { new WatchOrdersResponse { Heartbeat = new Heartbeat { Time = new Timestamp { Seconds = 1 } } }, new WatchOrdersResponse { Snapshot = new OrderPage { Orders = { new Order { OrderId = "o" } }, Last = true } }, new WatchOrdersResponse() })
            Assert.Empty(WatchedMessage.Read(new ReadOnlySequence<byte>(message.ToByteArray()), new Workload("x")).Events);
    }

    [Fact]
    public void What_is_cut_off_is_refused()
    {
        var bytes = new WatchOrdersResponse { Events = new OrderEventPage { Events = { Event(new Random(2)) } } }.ToByteArray();
        Assert.Throws<FormatException>(() => WatchedMessage.Read(new ReadOnlySequence<byte>(bytes, 0, bytes.Length - 1), new Workload("x")));
    }

    private static OrderEvent Event(Random random)
    {
        var made = new OrderEvent
        {
            Sequence = random.NextInt64(), ExternalOrderId = random.Next(4) switch { 0 => "", 1 => "x-\u00e9" + random.Next(), _ => "x-" + random.Next(1_000_000_000) }, OrderId = "o-1", Actor = new Actor { Id = "a" }, Time = new Timestamp { Seconds = 1 },
        };
        if (random.Next(3) == 0) made.Cancelled = new OrderCancelled { Lines = { new LineQuantity { LineNumber = 1, Quantity = 2 } } };
        else if (random.Next(2) == 0) made.Submitted = new OrderSubmitted { CurrencyCode = "GBP", Lines = { new SubmittedLine { LineNumber = 1, SkuId = "S" } } };
        return made;
    }
}
