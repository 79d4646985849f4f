// One WatchOrders call: orders as they stand first if asked, then every matching event in sequence, with heartbeats that move the token on.
//
// A token is the sequence through which everything was sent; within a snapshot also the next order number, and the sequence is then the one
// at which the snapshot began: the events after it follow when the snapshot is done.

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Wire;

namespace OrderEngine.Server.Services;

/// <summary>One call's stream of orders' changes.</summary>
internal sealed class OrderWatch(EngineCalls calls, EncodedEvents encoded, TimeProvider time, IServerStreamWriter<EncodedMessage> responses, ServerCallContext context)
{
    // WatchOrdersResponse.events and OrderEventPage.events: both are field 1, with a length.
    private const byte EventsTag = WatchOrdersResponse.EventsFieldNumber << 3 | WireWriter.Delimited, EventTag = OrderEventPage.EventsFieldNumber << 3 | WireWriter.Delimited;
    private readonly List<EncodedEvents.Encoded> _events = [];

    /// <summary>Runs until the client leaves or the server stops.</summary>
    public Task RunAsync(WatchOrdersRequest request) => Watches.RunAsync(TokenKind.Orders, calls, () => WatchAsync(request));

    private async Task WatchAsync(WatchOrdersRequest request)
    {
        var (filter, token) = Resolve(request);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping);
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Abandoning);
        var resumes = request.ResumeToken.Length > 0;
        var start = resumes ? token.A : calls.Engine.View.DurableSequence;
        var firstOrder = resumes ? token.B : request.SnapshotFirst ? 1 : 0;
        using var subscription = calls.Engine.Orders.Subscribe(filter, start);
        subscription.Owner = Grant.Current.Caller.Name;
        // The client has a position from the first moment on: as pages of the snapshot, or at once.
        if (firstOrder > 0) await SendSnapshotAsync(filter, start, firstOrder, abandon.Token);
        else await SendAsync(new FeedPage([], start, calls.Engine.View.DurableSequence), abandon.Token);
        while (true)
        {
            var page = await subscription.ReadAsync(ServerLimits.EventsPerMessage, ServerLimits.Heartbeat, stop.Token);
            await SendAsync(page, abandon.Token);
        }
    }

    private (OrderFilter, Token) Resolve(WatchOrdersRequest request)
    {
        var violations = new Violations();
        var token = Token.ReadResume(ref violations, "resume_token", request.ResumeToken, TokenKind.Orders, calls.JournalIdentity);
        var references = new References(calls.Reader);
        var filter = request.Filter ?? new WatchFilter();
        int[] channels = [], customers = [];
        long[] orders = [];
        if (Fields.CheckCount(ref violations, "filter.channel_ids", filter.ChannelIds.Count, 0, ServerLimits.FilterEntries))
        {
            channels = new int[filter.ChannelIds.Count];
            for (var i = 0; i < channels.Length; i++)
            {
                Fields.CheckId(ref violations, new FieldPath("filter.channel_ids", i), filter.ChannelIds[i]);
                channels[i] = references.Channel(new FieldPath("filter.channel_ids", i), filter.ChannelIds[i]);
            }
        }
        if (Fields.CheckCount(ref violations, "filter.customer_ids", filter.CustomerIds.Count, 0, ServerLimits.FilterEntries))
        {
            customers = new int[filter.CustomerIds.Count];
            for (var i = 0; i < customers.Length; i++)
            {
                Fields.CheckId(ref violations, new FieldPath("filter.customer_ids", i), filter.CustomerIds[i]);
                customers[i] = references.Customer(new FieldPath("filter.customer_ids", i), filter.CustomerIds[i]);
            }
        }
        if (Fields.CheckCount(ref violations, "filter.order_ids", filter.OrderIds.Count, 0, ServerLimits.FilterEntries))
        {
            orders = new long[filter.OrderIds.Count];
            for (var i = 0; i < orders.Length; i++)
            {
                Fields.CheckId(ref violations, new FieldPath("filter.order_ids", i), filter.OrderIds[i]);
                orders[i] = references.Order(new FieldPath("filter.order_ids", i), filter.OrderIds[i]);
            }
        }
        var states = States(ref violations, filter);
        violations.ThrowIfAny(references);
        token.ThrowIfForeign(calls.JournalIdentity);
        return (new OrderFilter(Grant.Current.Caller.Narrow(channels), customers, orders, states), token);
    }

    private Token TokenAt(long sequence, long nextOrder = 0) => new(TokenKind.Orders, sequence, nextOrder, calls.JournalIdentity);

    private static Core.OrderState[] States(ref Violations violations, WatchFilter filter)
    {
        if (!Fields.CheckCount(ref violations, "filter.states", filter.States.Count, 0, ServerLimits.FilterEntries)) return [];
        var states = new Core.OrderState[filter.States.Count];
        for (var i = 0; i < states.Length; i++)
        {
            Fields.CheckEnum(ref violations, new FieldPath("filter.states", i), filter.States[i]);
            if (filter.States[i] == OrderState.Unspecified) violations.Add(new FieldPath("filter.states", i), "must be a state");
            states[i] = (Core.OrderState)filter.States[i];
        }
        return states;
    }

    private async Task SendSnapshotAsync(OrderFilter filter, long start, long number, CancellationToken abandon)
    {
        var wanted = new SnapshotFilter(filter);
        // Orders that come later are told of by their events.
        var end = calls.Reader.LastOrder;
        while (true)
        {
            var page = new OrderPage();
            number = ReadPage(page, wanted, number, end);
            page.Last = number > end;
            var token = page.Last ? TokenAt(start) : TokenAt(start, number);
            if (page.Last || page.Orders.Count > 0)
            {
                await WriteAsync(new WatchOrdersResponse
                {
                    Snapshot = page, ResumeToken = token.ToString(), HighWatermark = calls.Engine.View.DurableSequence,
                }, abandon);
            }
            if (page.Last) return;
            calls.Stopping.ThrowIfCancellationRequested();
        }
    }

    /// <returns>The next order number to look at.</returns>
    private long ReadPage(OrderPage page, SnapshotFilter wanted, long number, long end)
    {
        var reader = calls.Reader;
        var bytes = 0;
        using var guard = reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        for (var looked = 0; looked < ServerLimits.ScanStep && number <= end; looked++)
        {
            if (page.Orders.Count >= ServerLimits.SnapshotPage || bytes >= ServerLimits.StreamMessageBytes) break;
            number = wanted.Next(number, end);
            if (number > end) break;
            var view = reader.LiveOrder(number, at);
            if (view.Exists && wanted.Matches(in view.Head) && OrderReads.Read(reader, number, at) is { } order)
            {
                page.Orders.Add(order);
                bytes += order.CalculateSize();
            }
            number++;
        }
        return number;
    }

    private async Task SendAsync(FeedPage page, CancellationToken abandon)
    {
        if (page.Events.Count == 0)
        {
            await WriteAsync(new WatchOrdersResponse
            {
                Heartbeat = new Heartbeat { Time = Timestamp.FromDateTimeOffset(time.GetUtcNow()) },
                ResumeToken = TokenAt(page.Through).ToString(), HighWatermark = page.HighWatermark,
            }, abandon);
            return;
        }
        // A page may hold very long orders: cut by bytes, so that clients with the usual limit can read every message.
        var next = 0;
        while (next < page.Events.Count)
        {
            var message = Message(page, ref next);
            await responses.WriteAsync(message, abandon);
        }
    }

    // WatchOrdersResponse with its events, each as it was encoded for whoever asked first.
    private EncodedMessage Message(FeedPage page, ref int next)
    {
        _events.Clear();
        var bytes = 0;
        using (calls.Reader.Enter())
        {
            var at = calls.Engine.View.DurableSequence;
            for (; next < page.Events.Count && bytes < ServerLimits.StreamMessageBytes; next++)
            {
                var one = encoded.Of(calls.Reader, page.Events[next].Span, at);
                bytes += EncodedMessage.FieldSize(one.Bytes.Length);
                _events.Add(one);
            }
        }
        var through = next == page.Events.Count ? page.Through : _events[^1].Sequence;
        var message = new EncodedMessage();
        var writer = new WireWriter(message.Reserve(EncodedMessage.FieldSize(bytes)));
        writer.Head(EventsTag, bytes);
        foreach (var one in _events) writer.Bytes(EventTag, one.Bytes);
        message.Advance(writer.Length);
        message.Write(new WatchOrdersResponse { ResumeToken = TokenAt(through).ToString(), HighWatermark = page.HighWatermark });
        return message;
    }

    private Task WriteAsync(WatchOrdersResponse response, CancellationToken abandon)
    {
        var message = new EncodedMessage();
        message.Write(response);
        return responses.WriteAsync(message, abandon);
    }

    /// <summary>The filter as a snapshot uses it: which numbers to look at, and whether an order matches as it stands.</summary>
    private sealed class SnapshotFilter
    {
        private readonly HashSet<int> _channels;
        private readonly HashSet<int> _customers;
        private readonly long[] _orders;
        private readonly HashSet<Core.OrderState> _states;

        public SnapshotFilter(OrderFilter filter)
        {
            _channels = [.. filter.Channels];
            _customers = [.. filter.Customers];
            _orders = [.. filter.Orders.Distinct().Order()];
            _states = [.. filter.States];
        }

        /// <summary>The first number from <paramref name="number"/> on that may match; above <paramref name="end"/> when there is none.</summary>
        public long Next(long number, long end)
        {
            if (_orders.Length == 0) return number;
            var index = Array.BinarySearch(_orders, number);
            if (index < 0) index = ~index;
            return index < _orders.Length ? _orders[index] : end + 1;
        }

        public bool Matches(in Core.State.OrderHead head) =>
            (_channels.Count == 0 || _channels.Contains(head.Channel)) && (_customers.Count == 0 || _customers.Contains(head.Customer))
            && (_states.Count == 0 || _states.Contains(head.State));
    }
}
