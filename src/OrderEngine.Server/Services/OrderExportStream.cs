// One ExportOrders call: orders of an export in messages of some 1 MiB, each with the token that goes on behind its last whole order. Holds one message in
// memory, and no guard while it waits for its reader.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Access;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>One stream.</summary>
internal sealed class OrderExportStream(EngineCalls calls, OrderExports exports, IServerStreamWriter<ExportedOrders> responses, ServerCallContext context)
{
    private ExportedOrders _message = new();
    private int _bytes;
    // Where the next message goes on, should the stream break behind it.
    private Token _token;
    private long _sequence;
    private CancellationTokenSource _callOff = null!;

    /// <summary>Runs until all is sent.</summary>
    public async Task RunAsync(ExportOrdersRequest request)
    {
        var caller = Grant.Current.Caller;
        if (request.IncludePersonalData && !caller.IsTrusted && !caller.Scopes.HasFlag(Scopes.Admin))
            throw Errors.Status(ErrorReason.ScopeMissing, "Personal data is exported for scope admin only.").ToException();
        var (query, token) = ListRequests.Map(request, calls.Reader);
        var scope = ListRequests.Scope(new ExportOrdersRequest(request) { ResumeToken = "", MinSequence = 0 });
        await calls.WaitForAsync(request.MinSequence, context);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping);
        var (export, takenOver) = request.ResumeToken.Length > 0
            ? await exports.ResumeAsync((uint)token.Scope, caller.Name, scope, end.Token) : await exports.BeginAsync(query, caller.Name, scope, end.Token);
        try
        {
            _token = token with { Kind = TokenKind.OrderExport, Scope = export.Id };
            _sequence = export.Orders!.Sequence;
            await SendAsync(export.Orders, request, takenOver, end.Token);
        }
        finally
        {
            exports.Leave(export);
        }
    }

    private async Task SendAsync(OrderExport orders, ExportOrdersRequest request, CancellationToken takenOver, CancellationToken stop)
    {
        using var longest = new CancellationTokenSource(ServerLimits.LongestExport, calls.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, longest.Token, takenOver);
        using var callOff = CancellationTokenSource.CreateLinkedTokenSource(stop, takenOver);
        _callOff = callOff;
        try
        {
            await SendAllAsync(orders, request, end.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Errors.Exception(takenOver.IsCancellationRequested ? ErrorReason.ExportEnded : ErrorReason.ExportReaderSlow);
        }
    }

    private async Task SendAllAsync(OrderExport orders, ExportOrdersRequest request, CancellationToken end)
    {
        try
        {
            orders.GoOnBehind(_token.A);
            while (Next(orders, end) is { } order)
            {
                await AddAsync(order, request, end);
                _token = _token with { A = order.Number, B = _token.B + 1 };
                if (_message.Orders.Count >= ServerLimits.OrdersPerMessage || _bytes >= ServerLimits.StreamMessageBytes) await FlushAsync(end);
            }
            _message.End = new ExportOrdersEnd { Orders = _token.B };
            await FlushAsync(end);
        }
        catch (ArchivedOrderException damaged)
        {
            if (_message.Orders.Count > 0) await FlushAsync(end);
            throw Errors.Status(ErrorReason.ArchiveDamaged, damaged.Message, ("order_id", Texts.Order(damaged.Order)),
                ("resume_token", (_token with { A = damaged.Order }).ToString())).ToException();
        }
    }

    private static PinnedOrder? Next(OrderExport orders, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return orders.Next(stop);
    }

    private async Task AddAsync(PinnedOrder order, ExportOrdersRequest request, CancellationToken stop)
    {
        var exported = new ExportedOrder
        {
            Order = WholeOrders.Read(order.Reader, calls.Vault, calls.Engine.View, order.Number, request.IncludePersonalData), Archived = order.IsArchived,
        };
        Add(exported, exported.CalculateSize());
        for (var next = 0; request.IncludeHistory && next < order.Events;)
        {
            if (_bytes >= ServerLimits.StreamMessageBytes)
            {
                exported.MoreEvents = true;
                await FlushAsync(stop);
                exported = new ExportedOrder();
                Add(exported, 0);
            }
            AddEvents(order, exported, ref next, request.IncludePersonalData);
        }
    }

    private void Add(ExportedOrder exported, int bytes)
    {
        _message.Orders.Add(exported);
        _bytes += bytes;
    }

    private void AddEvents(PinnedOrder order, ExportedOrder exported, ref int next, bool withPersonalData)
    {
        using var guard = order.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        for (; next < order.Events && _bytes < ServerLimits.StreamMessageBytes; next++)
        {
            var happened = OrderEvents.Map(order.Reader, order.Event(next), at);
            if (withPersonalData) WholeOrders.AddPersonalData(happened, new EventView(order.Event(next)), order.Reader, calls.Vault, order.Number);
            exported.Events.Add(happened);
            _bytes += happened.CalculateSize();
        }
    }

    private async Task FlushAsync(CancellationToken stop)
    {
        var message = _message;
        (_message, _bytes) = (new ExportedOrders(), 0);
        message.Sequence = _sequence;
        message.ResumeToken = _token.ToString();
        using var patience = new CancellationTokenSource(ServerLimits.ExportPatience, calls.Time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        var write = responses.WriteAsync(message, _callOff.Token);
        try
        {
            await write.WaitAsync(any.Token);
        }
        catch (OperationCanceledException) when (!write.IsCompleted)
        {
            // To call off the write is to reset the call, whose reader is then not told why. So it has a little longer to take the message and the reason
            // behind it; what it does not take must not stay in memory, where nobody counts it any more.
            using var last = new CancellationTokenSource(ServerLimits.LastWrite, calls.Time);
            await using var calledOff = last.Token.Register(_callOff.Cancel);
            await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }
}
