// When orders are due, as the event's body holds it (orderengine.journal.DeadlinesDefined). Any thread: what is read is never changed.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.State;

/// <summary>When orders are due; microseconds, 0: not watched.</summary>
internal sealed class DeadlineRules
{
    private const long MicrosPerSecond = 1_000_000;
    private const int PaymentField = 260, CashField = 261, ReturnArrivalField = 262, ReturnCloseField = 263, HoldRemindField = 294;
    private readonly long[] _stalls = new long[OrderIndex.States];

    /// <summary>Nothing is watched.</summary>
    public static DeadlineRules None { get; } = new(default);

    /// <summary>Reads a body.</summary>
    public DeadlineRules(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 3: Release = reader.Long() * MicrosPerSecond; break;
                case 4: Delivery = reader.Long() * MicrosPerSecond; break;
                case 5: Remind = reader.Long() * MicrosPerSecond; break;
                case 6: ReadStall(reader.Bytes()); break;
                case 220: Earmark = reader.Long() * MicrosPerSecond; break;
                case PaymentField: Payment = reader.Long() * MicrosPerSecond; break;
                case CashField: Cash = reader.Long() * MicrosPerSecond; break;
                case ReturnArrivalField: ReturnArrival = reader.Long() * MicrosPerSecond; break;
                case ReturnCloseField: ReturnClose = reader.Long() * MicrosPerSecond; break;
                case HoldRemindField: HoldRemindSeconds = checked((ushort)reader.Varint()); break;
                default: reader.Skip(wireType); break;
            }
        }
        IsAny = Release + Delivery > 0 || _stalls.AsSpan().ContainsAnyExcept(0);
    }

    /// <summary>True when anything is watched.</summary>
    public bool IsAny { get; }

    /// <summary>From READY to the warehouse.</summary>
    public long Release { get; }

    /// <summary>From acceptance to delivery, where the order names no time.</summary>
    public long Delivery { get; }

    /// <summary>How long before a deadline it is reminded of.</summary>
    public long Remind { get; }

    /// <summary>From acceptance until an order that ships complete takes what comes.</summary>
    public long Earmark { get; } = Limits.DefaultEarmarkSeconds * MicrosPerSecond;

    /// <summary>How long what is to be paid may stay unpaid, but for cash on delivery; not 0: the dates of instalments are watched, too.</summary>
    public long Payment { get; }

    /// <summary>How long what was delivered for cash may stay unpaid.</summary>
    public long Cash { get; }

    /// <summary>From a return's approval to its goods.</summary>
    public long ReturnArrival { get; }

    /// <summary>From a return's goods to its end.</summary>
    public long ReturnClose { get; }

    /// <summary>How many seconds before its end a hold is reminded of; 0: not.</summary>
    public ushort HoldRemindSeconds { get; }

    /// <summary>True when money is watched that orders do not wait for.</summary>
    public bool WatchesMoney => Payment + Cash > 0;

    /// <summary>How long an order may stay in a state.</summary>
    public long Stall(OrderState state) => _stalls[(int)state];

    /// <summary>Appends what is set to a body that begins with its number.</summary>
    public static void Write(EventBuffer body, SetDeadlines set)
    {
        body.Number(3, set.ReleaseSeconds);
        body.Number(4, set.DeliverySeconds);
        body.Number(5, set.RemindSeconds);
        foreach (var stall in set.Stalls)
        {
            var nested = body.BeginNested(6);
            body.Number(1, (long)stall.State);
            body.Number(2, stall.Seconds);
            body.EndNested(nested);
        }
        body.Number(220, set.EarmarkSeconds);
        body.Number(PaymentField, set.PaymentSeconds);
        body.Number(CashField, set.CashSeconds);
        body.Number(ReturnArrivalField, set.ReturnArrivalSeconds);
        body.Number(ReturnCloseField, set.ReturnCloseSeconds);
        body.Number(HoldRemindField, set.HoldRemindSeconds);
    }

    private void ReadStall(ReadOnlySpan<byte> message)
    {
        var (state, seconds) = (0, 0L);
        var reader = new ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) state = reader.Int();
            else if (field == 2) seconds = reader.Long();
            else reader.Skip(wireType);
        }
        _stalls[state] = seconds * MicrosPerSecond;
    }
}
