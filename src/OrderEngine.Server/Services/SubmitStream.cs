// StreamSubmitOrders: orders in, results out, read from and written to bytes. What is not plain goes the long way, order by order.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Wire;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Services;

/// <summary>One order of a message.</summary>
/// <param name="Message">The message.</param>
/// <param name="ClientSeq">As sent.</param>
/// <param name="Start">Where its encoded SubmitOrderRequest begins.</param>
/// <param name="Length">The request's bytes; 0: there is none.</param>
/// <param name="Parsed">Set when it is not plain: it counts then, and the bytes do not.</param>
internal readonly record struct EncodedOrder(EncodedMessage Message, ulong ClientSeq, int Start, int Length, StreamedOrder? Parsed)
{
    /// <summary>The encoded request.</summary>
    public Span<byte> Request => Message.Bytes.Slice(Start, Length);
}

/// <summary>One stream of submissions.</summary>
/// <param name="calls">The engine.</param>
/// <param name="grant">What the call may.</param>
internal sealed class SubmitStream(EngineCalls calls, Grant grant) : CommandStream<EncodedMessage, EncodedOrder, EncodedMessage>(calls)
{
    private const byte Orders = StreamSubmitOrdersRequest.OrdersFieldNumber << 3 | WireWriter.Delimited;
    private const byte ClientSeq = StreamedOrder.ClientSeqFieldNumber << 3;
    private const byte Request = StreamedOrder.RequestFieldNumber << 3 | WireWriter.Delimited;

    private readonly EngineCalls _calls = calls;
    private readonly List<EncodedOrder> _items = [];

    /// <inheritdoc/>
    protected override string ItemsPath => "orders";

    /// <inheritdoc/>
    protected override IReadOnlyList<EncodedOrder> ItemsOf(EncodedMessage request)
    {
        _items.Clear();
        if (TrySplit(request)) return _items;
        _items.Clear();
        foreach (var order in EncodedMessage.Parse(StreamSubmitOrdersRequest.Parser, request.Bytes).Orders)
            _items.Add(new EncodedOrder(request, order.ClientSeq, 0, 0, order));
        return _items;
    }

    /// <inheritdoc/>
    protected override void WereTaken(EncodedMessage request) => request.Release();

    /// <inheritdoc/>
    protected override ulong ClientSeqOf(EncodedOrder item) => item.ClientSeq;

    /// <inheritdoc/>
    protected override Lane LaneOf(EncodedOrder first)
    {
        var request = first.Parsed is { } parsed ? parsed.Request : EncodedMessage.Parse(SubmitOrderRequest.Parser, first.Request);
        return OrderRequests.LaneOf((Core.Priority)(request?.Order?.Priority ?? Contracts.V1.Priority.Normal));
    }

    /// <inheritdoc/>
    protected override ValueTask<Mapped<Command>> MapAsync(EncodedOrder item)
    {
        if (item.Parsed is null && PlainOrders.Map(item.Request, grant, _calls.Reader, _calls.Vault) is { } command)
            return ValueTask.FromResult(new Mapped<Command>(command, null));
        var request = item.Parsed is { } parsed ? parsed.Request : EncodedMessage.Parse(SubmitOrderRequest.Parser, item.Request);
        return request is null ? ValueTask.FromResult<Mapped<Command>>(Errors.InvalidField("request", "is required")) : MapRareAsync(request);
    }

    /// <inheritdoc/>
    protected override int AddAccepted(EncodedMessage response, ulong clientSeq, in CommandAnswer answer) =>
        PlainAnswers.AddResult(response, clientSeq, answer, _calls.Reader);

    /// <inheritdoc/>
    protected override int AddRefused(EncodedMessage response, ulong clientSeq, RpcStatus refusal) => PlainAnswers.AddResult(response, clientSeq, refusal);

    private async ValueTask<Mapped<Command>> MapRareAsync(SubmitOrderRequest request) =>
        (await OrderRequests.MapAsync(request, _calls.Reader, _calls.Vault)).AsCommand();

    // False: not the usual encoding.
    private bool TrySplit(EncodedMessage message)
    {
        ReadOnlySpan<byte> bytes = message.Bytes;
        var orders = new PlainReader(bytes);
        while (!orders.AtEnd)
        {
            if (!orders.Required(Orders, out var order)) return false;
            var fields = new PlainReader(order);
            if (!fields.Number(ClientSeq, long.MaxValue, out var clientSeq) || !fields.Required(Request, out var request) || !fields.AtEnd) return false;
            // A request is the last of its order's bytes.
            _items.Add(new EncodedOrder(message, clientSeq, orders.Position - request.Length, request.Length, null));
        }
        return true;
    }
}
