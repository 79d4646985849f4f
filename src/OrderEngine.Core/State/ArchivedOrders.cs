// Orders that left memory for the archive, and the tidying up behind them. The writer changes; the totals are read from any thread.
//
//   OrderArchived --> row removed --> (nobody sees it any more) --> history unlinked --> (so many archived after it) --> external id unlinked
//
// The external id stays findable here until RecentlyArchived further orders have left: a submission asks the archive before it is queued, and is
// decided later. What left meanwhile, the writer must find itself.

namespace OrderEngine.Core.State;

/// <summary>Keeps count of archived orders.</summary>
internal sealed class ArchivedOrders(EngineState state)
{
    // A seal tidies up behind at least this many orders, or twice as many as left in the batch.
    private const int MinTidiedPerSeal = 64;

    private static int BlockLength => Storage.ChunkedArray<long>.ChunkLength;

    private readonly Queue<long> _leaving = new();
    private readonly Queue<long> _externalIds = new();
    private readonly Dictionary<long, int> _goneInBlock = [];
    private long _total;
    private int _sinceSeal;

    /// <summary>Orders that are in the archive and not in memory.</summary>
    public long Count { get; private set; }

    /// <summary>Behind the archive's last record that an event speaks of: it must reach so far.</summary>
    public long Position { get; private set; }

    /// <summary>Orders archived since the process began, brought back or not. Any thread.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Blocks freed by the seal before.</summary>
    public int Retired { get; private set; }

    /// <summary>Whether an order may leave.</summary>
    /// <param name="number">The order.</param>
    /// <param name="order">Its row.</param>
    /// <param name="at">The sequence at which it is looked at.</param>
    /// <param name="now">Microseconds since 1970.</param>
    /// <param name="window">Microseconds since its last change.</param>
    /// <param name="oldestAnswer">Time of the oldest answer that is kept for retries: it may lie in a history.</param>
    public bool MayLeave(long number, OrderView order, long at, long now, long window, long oldestAnswer)
    {
        ref readonly var head = ref order.Head;
        return OrderStates.IsClosed(head.State) && head.ChangedAt + window <= now && head.OpenExceptions == 0 && oldestAnswer > head.ChangedAt
            && state.Deadlines.Rows.At(number, at, out _).IsEmpty
            // What happened after the sale lies in tables of its own, and stays there: once nothing of it is open it does not keep the order.
            && !(state.AfterSales.TryAt<AfterSaleRow>(number, at, out var afterSale, out _) && (afterSale.OpenReturns > 0 || AwaitsReplacement(in afterSale, at)))
            && !(state.Complaints.Orders.TryAt<CareRow>(number, at, out var care, out _) && care.OpenComplaints > 0)
            // What a customer with a credit limit owes has to be known as long as it is owed.
            && (head.Customer == 0 || state.Catalog.Credit(head.Customer).Currency == 0 || PaymentStates.Exposure(order) == 0);
    }

    // Should the replacement come to nothing, the order is credited.
    private bool AwaitsReplacement(in AfterSaleRow afterSale, long at)
    {
        for (var number = afterSale.LastReturn; number != 0;)
        {
            var view = new ReturnView(state.Returns.At(number, at, out _));
            ref readonly var head = ref view.Head;
            if (head.Replacement != 0 && state.Orders.At(head.Replacement, at, out _) is { IsEmpty: false } row && !OrderStates.IsClosed(new OrderView(row).Head.State)) return true;
            number = head.Previous;
        }
        return false;
    }

    /// <summary>An order leaves. Its history stays until no reader can see its row any more.</summary>
    public void Archive(long order, long position, long sequence)
    {
        state.Index.Leave(order, state.Order(order).Head.State, sequence);
        // Its complaints stay, and a start finds them by customer.
        if (state.Order(order).Head.Customer is not 0 and var customer && state.Complaints.OfOrder(order).Complaints > 0)
            state.Complaints.ChangeOrder(order, sequence).Customer = customer;
        state.CountForCustomer(state.Order(order), comes: false);
        state.Orders.Remove(order, sequence);
        state.ExternalIds.Exclude(order);
        _leaving.Enqueue(order);
        Count++;
        _sinceSeal++;
        Position = Math.Max(Position, position);
        Volatile.Write(ref _total, _total + 1);
    }

    /// <summary>An order comes back.</summary>
    public void Restore(ArchivedOrder archived, long sequence)
    {
        if (state.ExternalIds.Text(archived.Number).IsEmpty && IsCounted(archived.Number)) Revive(archived.Number);
        archived.Row.CopyTo(state.Orders.Create(archived.Number, archived.Row.Length, sequence));
        state.Index.Return(archived.Number, in archived.Head);
        state.CountForCustomer(state.Order(archived.Number), comes: true);
        // Where it has not left altogether, what it left behind is still there.
        if (state.History.First(archived.Number).IsEmpty)
            foreach (var (eventSequence, bytes) in archived.Events) state.History.Add(archived.Number, eventSequence, bytes);
        state.ExternalIds.Include(archived.Head.Channel, archived.ExternalId, archived.Number);
        Count--;
    }

    /// <summary>Puts back the figures of a snapshot, once its orders are there.</summary>
    /// <param name="count">Orders archived.</param>
    /// <param name="position">Of the archive.</param>
    /// <param name="gaps">Their numbers.</param>
    public void Load(long count, long position, IReadOnlyList<(long From, long To)> gaps)
    {
        (Count, Position) = (count, position);
        foreach (var (from, to) in gaps)
        {
            for (var order = from; order <= to;)
            {
                var end = Math.Min(to, (order / BlockLength + 1) * BlockLength - 1);
                CountGone(order, (int)(end - order + 1));
                order = end + 1;
            }
        }
    }

    /// <summary>Ends a batch: tidies up behind a bounded number of orders.</summary>
    public void Seal(long sequence)
    {
        Retired = 0;
        var budget = Math.Max(MinTidiedPerSeal, 2 * _sinceSeal);
        _sinceSeal = 0;
        for (var left = budget; left > 0 && _leaving.TryPeek(out var order); left--)
        {
            if (!state.Order(order).Exists)
            {
                // Its row's end is still looked for by readers of earlier sequences: then so is its history.
                if (!state.Orders.IsGone(order)) break;
                Retired += state.History.Unlink(order, state.Reclaimer, sequence);
                _externalIds.Enqueue(order);
            }
            _leaving.Dequeue();
        }
        for (; budget > 0 && _externalIds.Count > Limits.RecentlyArchived; budget--)
        {
            var order = _externalIds.Dequeue();
            if (state.Order(order).Exists || !state.Orders.IsGone(order) || !state.ExternalIds.Unlink(order, state.Reclaimer, sequence)) continue;
            Retired++;
            CountGone(order);
        }
    }

    // Once all orders of a block are gone, the tables that are indexed by order number let go of that part of themselves.
    private void CountGone(long order, int count = 1)
    {
        var block = order / BlockLength;
        var gone = _goneInBlock.GetValueOrDefault(block) + count;
        _goneInBlock[block] = gone;
        // Number 0 is nobody's.
        if (gone < BlockLength - (block == 0 ? 1 : 0)) return;
        state.Orders.Release(order);
        state.Deadlines.Rows.Release(order);
        state.Promises.Rows.Release(order);
        state.AddedUnits.Rows.Release(order);
        if (!HasAfterSales(block)) state.AfterSales.Release(order);
        state.History.Release(order);
        state.ExternalIds.Release(order);
    }

    private bool HasAfterSales(long block)
    {
        for (var order = block * BlockLength; order < (block + 1) * BlockLength; order++)
            if (!state.AfterSales.IsGone(order)) return true;
        return false;
    }

    private bool IsCounted(long order) => _goneInBlock.GetValueOrDefault(order / BlockLength) > 0;

    private void Revive(long order)
    {
        _goneInBlock[order / BlockLength]--;
        state.Orders.Revive(order);
        state.Deadlines.Rows.Revive(order);
        state.Promises.Rows.Revive(order);
        state.AddedUnits.Rows.Revive(order);
        state.AfterSales.Revive(order);
        state.History.Revive(order);
        state.ExternalIds.Revive(order);
    }
}
