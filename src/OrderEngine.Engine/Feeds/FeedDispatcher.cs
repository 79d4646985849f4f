// The feeds' one task: takes committed batches from the window in order and hands them to both feeds. When it falls so far behind that
// batches have left the window, every subscriber goes on from the journal or a scan; nothing is lost and nobody waits for it.

namespace OrderEngine.Engine;

internal sealed class FeedDispatcher(FeedWindow window, OrderFeed orders, StockFeed stock, FailureLatch failure, ILogger logger)
{
    private long _next = 1;
    private volatile bool _closed;

    /// <summary>Ends after <see cref="Close"/>, once everything is dispatched. Never throws.</summary>
    public async Task RunAsync()
    {
        await using var round = orders.Context.Time.CreateTimer(static window => ((FeedWindow)window!).Wake(), window, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                var closed = _closed;
                while (DispatchNext())
                {
                }
                if (closed) break;
                if (orders.WakeNext() is { Ticks: > 0 } rest) round.Change(rest, Timeout.InfiniteTimeSpan);
                await window.WaitAsync();
            }
        }
        catch (Exception exception)
        {
            failure.Fail(ExitCodes.PublicationFailed, "Dispatching committed events to subscribers failed.", exception);
        }
        orders.Close();
        stock.Close();
    }

    /// <summary>Nothing will be added to the window any more.</summary>
    public void Close()
    {
        _closed = true;
        window.Wake();
    }

    /// <summary>Hands out one batch; false when there is none.</summary>
    public bool DispatchNext()
    {
        if (_next > window.Last) return false;
        if (window.Get(_next) is not { } batch)
        {
            batch = window.Get(Math.Max(_next + 1, window.First));
            // It left the window as we looked: look again.
            if (batch is null) return true;
            EngineLog.FeedOverrun(logger, batch.Number - _next);
            orders.Skip(batch);
            stock.Skip(batch);
        }
        orders.Dispatch(batch);
        stock.Dispatch(batch);
        _next = batch.Number + 1;
        return true;
    }
}
