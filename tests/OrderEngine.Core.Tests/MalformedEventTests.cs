// Proves: bytes that are no events are refused with FormatException or OverflowException and nothing else, reading stays inside them and ends;
// applying them ends in ApplyException, and never takes memory by what a damaged number says.

using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Histories;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class MalformedEventTests
{
    private const int Mutations = 100_000;
    private const int DamagedCores = 150;

    // More than any one event of these histories needs, less than an array sized by a damaged number.
    private const long BytesForOneEvent = 8 * 1024 * 1024;

    [Fact]
    public void Mutated_bytes_are_read_or_refused_and_reading_ends()
    {
        var events = SomeEvents(5);
        var random = new Random(11);
        var refused = 0;
        for (var i = 0; i < Mutations; i++)
        {
            var bytes = Mutate(events[random.Next(events.Count)], random);
            try
            {
                var e = new EventView(bytes);
                Walk(e.Bytes, 0);
                Walk(e.Body, 0);
            }
            catch (Exception exception) when (exception is FormatException or OverflowException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, Mutations / 20, Mutations);
    }

    [Fact]
    public void A_mutated_batch_is_walked_or_refused()
    {
        var random = new Random(12);
        var payload = new byte[4_000];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(payload.AsSpan(0, 40));
            var length = random.Next(payload.Length);
            try
            {
                var events = new EventEnumerator(payload.AsSpan(0, length));
                while (events.MoveNext()) Assert.InRange(events.Offset + events.Current.Length, 0, length);
            }
            catch (FormatException)
            {
                // Refused, as it should be.
            }
        }
    }

    [Fact]
    public void Applying_a_mutated_event_succeeds_or_ends_the_core_within_bounded_memory()
    {
        var events = SomeEvents(6);
        var random = new Random(13);
        var refused = 0;
        for (var i = 0; i < DamagedCores; i++)
        {
            var core = new OrderCore();
            var at = random.Next(30, events.Count);
            foreach (var e in events.Take(at)) core.Replay(e);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var damaged = Mutate(events[at], random);
            var exception = Record.Exception(() => core.Replay(damaged));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, BytesForOneEvent);
            if (exception is null) continue;
            Assert.IsType<ApplyException>(exception);
            refused++;
        }
        Assert.InRange(refused, DamagedCores / 10, DamagedCores);
    }

    public static TheoryData<string> Strangers => ["channel of an order", "customer of an order", "sku of a line", "location of a line", "channel of a reservation", "customer of a reservation",
        "sku held", "location held", "sku received", "location received", "sku adjusted", "location adjusted", "allowed location"];

    [Theory]
    [MemberData(nameof(Strangers))]
    public void An_event_that_refers_to_what_does_not_exist_is_refused_at_once(string what)
    {
        const uint stranger = 2_000_000_000;
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 5)));
        var order = new OrderSubmitted { ExternalOrderId = "x", Currency = "GBP", Policy = 1, Lines = { new SubmittedLine { Sku = what == "sku of a line" ? stranger : 1, Quantity = 1 } } };
        if (what == "location of a line") order.Lines[0].Reserved.Add(new Allocation { Location = stranger, Quantity = 1 });
        else order.Lines[0].Backordered = 1;
        var held = new ReservationCreated { Reservation = 1, ExpireTime = 1, Items = { new HeldItem { Sku = what == "sku held" ? stranger : 1, Location = what == "location held" ? stranger : 1, Quantity = 1 } } };
        var e = new Event { Sequence = (ulong)shop.Core.Sequence + 1, Time = (ulong)shop.Core.Time };
        if (what.EndsWith("order", StringComparison.Ordinal) || what.EndsWith("line", StringComparison.Ordinal)) (e.Order, e.OrderSubmitted) = (1, order);
        else if (what.EndsWith("reservation", StringComparison.Ordinal) || what.EndsWith("held", StringComparison.Ordinal)) e.ReservationCreated = held;
        else if (what.EndsWith("received", StringComparison.Ordinal))
            e.StockReceived = new StockReceived { Location = what == "location received" ? stranger : 1, Items = { new Contracts.Journal.SkuQuantity { Sku = what == "sku received" ? stranger : 1, Quantity = 1 } } };
        else if (what.EndsWith("adjusted", StringComparison.Ordinal))
            e.StockAdjusted = new StockAdjusted { Location = what == "location adjusted" ? stranger : 1, Sku = what == "sku adjusted" ? stranger : 1, OnHandDelta = 1 };
        else e.ChannelDefined = new ChannelDefined { Channel = 4, ChannelId = "n", AllowedLocations = { stranger } };
        e.Channel = what.StartsWith("channel", StringComparison.Ordinal) ? stranger : 1;
        e.Customer = what.StartsWith("customer", StringComparison.Ordinal) ? stranger : 0;

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ApplyException>(() => shop.Core.Replay(e.ToByteArray()));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, BytesForOneEvent);
    }

    [Theory]
    [InlineData(320)]
    [InlineData(100_000)]
    public void An_event_of_a_kind_that_a_newer_engine_writes_is_not_taken_for_another(int field)
    {
        // 320 = 64 + 256: an OrderSubmitted, were the number cut to a byte.
        var buffer = new EventBuffer();
        buffer.Number(1, 1);
        buffer.Number(2, 5);
        buffer.Bytes(field, "body"u8);
        var e = new EventView(buffer.Written);
        Assert.False(Enum.IsDefined(e.Kind) && e.Kind != EventKind.None, $"{e.Kind}");
        var bytes = buffer.Written.ToArray();
        Assert.Throws<ApplyException>(() => new OrderCore().Replay(bytes));
    }

    private static List<byte[]> SomeEvents(int seed)
    {
        var history = new History(new Tally());
        var random = new Random(seed);
        for (var i = 0; i < 120; i++) history.Step(random.Next());
        return history.Events;
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToArray();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            switch (random.Next(4))
            {
                case 0: bytes[random.Next(bytes.Length)] = (byte)random.Next(256); break;
                case 1: bytes[random.Next(bytes.Length)] |= 0x80; break;
                case 2: bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8)); break;
                default: bytes = bytes[..random.Next(1, bytes.Length + 1)]; break;
            }
        }
        return bytes;
    }

    private static void Walk(ReadOnlySpan<byte> message, int depth)
    {
        var reader = new ProtoReader(message);
        var last = 0;
        while (reader.Next(out _, out var wireType))
        {
            if (wireType == 2 && depth < 3)
            {
                var nested = reader.Bytes();
                try
                {
                    Walk(nested, depth + 1);
                }
                catch (FormatException)
                {
                    // It was text.
                }
            }
            else
            {
                reader.Skip(wireType);
            }
            Assert.InRange(reader.Position, last + 1, message.Length);
            last = reader.Position;
        }
    }
}
