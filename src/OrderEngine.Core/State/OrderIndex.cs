// Finding orders: by channel and customer, by state and tier, by open exceptions, by time. Kept by applying events, put back with a snapshot's rows;
// some 30 bytes an order. The writer changes; OrderListing reads from any thread.
//
// Orders are numbered as they are accepted, so every list is in the order of acceptance, and a range of dates is a range of numbers.
// What does not change (channel, customer, tier, time) is added once. States and exceptions come and go: an order is put into the set of its
// new state at once and leaves that of the old one only when no reader can look at a sequence at which it was in it. So a set holds all that
// belong to it at any sequence that can be read, and a few more: the reader looks at the row, as of its sequence, and drops those.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The indexes of orders.</summary>
internal sealed class OrderIndex(VersionedRows orders, Exceptions exceptions)
{
    /// <summary>Orders between two marks of time.</summary>
    public const int OrdersPerMark = 64;

    private const int States = 32;
    private const int ExceptionKinds = 64;
    // The set of all orders that have an open exception, whatever its kind.
    private const ExceptionKind AnyException = ExceptionKind.None;

    private readonly NumberSet?[] _byState = new NumberSet?[States];
    private readonly NumberSet?[] _byTier = new NumberSet?[Limits.Tier + 1];
    private readonly NumberSet?[] _byException = new NumberSet?[ExceptionKinds];
    private readonly ChunkedArray<long> _marks = new();
    private readonly Queue<Leaving> _leaving = new();
    private readonly HashSet<long> _unchained = [];
    private long _nextMark;

    // An order that left a set at a sequence; which set is looked up again then.
    private readonly record struct Leaving(long Sequence, long Order, bool IsState, byte What);

    /// <summary>Orders by channel.</summary>
    public NumberChains Channels { get; } = new();

    /// <summary>Orders by customer; those of guests are in none.</summary>
    public NumberChains Customers { get; } = new();

    /// <summary>The orders in a state, and a few that left it. Any thread.</summary>
    public NumberSet? InState(OrderState state) => Volatile.Read(ref _byState[(int)state]);

    /// <summary>The orders of customers of a tier. Any thread.</summary>
    public NumberSet? OfTier(int tier) => Volatile.Read(ref _byTier[tier]);

    /// <summary>The orders with an open exception of a kind (None: of any), and a few that had one. Any thread.</summary>
    public NumberSet? WithException(ExceptionKind kind) => Volatile.Read(ref _byException[(int)kind]);

    /// <summary>Takes up a new order, or one of a snapshot.</summary>
    public void Add(long order, in OrderHead head)
    {
        Channels.Append(head.Channel, order);
        if (head.Customer != 0) Customers.Append(head.Customer, order);
        NumberSet.In(_byTier, head.Tier).Add(order);
        NumberSet.In(_byState, (int)head.State).Add(order);
        // Archived orders leave gaps in a snapshot: the next order's time stands for theirs.
        for (; _nextMark <= (order - 1) / OrdersPerMark; _nextMark++) _marks[_nextMark] = head.AcceptedAt;
    }

    /// <summary>Notes that an order was archived. It stays in its chains, which readers look past.</summary>
    public void Leave(long order, OrderState state, long sequence) => _leaving.Enqueue(new Leaving(sequence, order, true, (byte)state));

    /// <summary>
    /// Notes that an archived order is back. One that was archived before a start is in no chain, and cannot be put into its middle: lists by channel or
    /// customer show it again from the next start on.
    /// </summary>
    public void Return(long order, in OrderHead head)
    {
        NumberSet.In(_byTier, head.Tier).Add(order);
        NumberSet.In(_byState, (int)head.State).Add(order);
        if (Channels.AtOrBelow(head.Channel, order) != order) _unchained.Add(order);
    }

    /// <summary>Notes that an order went from one state to another.</summary>
    public void Move(long order, OrderState from, OrderState to, long sequence)
    {
        if (from == to) return;
        NumberSet.In(_byState, (int)to).Add(order);
        _leaving.Enqueue(new Leaving(sequence, order, true, (byte)from));
    }

    /// <summary>Notes that an exception of an order was raised, or is open in a snapshot.</summary>
    public void Raise(long order, ExceptionKind kind)
    {
        NumberSet.In(_byException, (int)AnyException).Add(order);
        NumberSet.In(_byException, (int)kind).Add(order);
    }

    /// <summary>Notes that an exception of an order was resolved.</summary>
    public void Resolve(long order, ExceptionKind kind, long sequence)
    {
        _leaving.Enqueue(new Leaving(sequence, order, false, (byte)AnyException));
        _leaving.Enqueue(new Leaving(sequence, order, false, (byte)kind));
    }

    /// <summary>Takes orders out of the sets that they left, a bounded number.</summary>
    /// <param name="cleared">Nobody reads below this sequence any more.</param>
    /// <param name="budget">The most to take out.</param>
    public void Settle(long cleared, int budget)
    {
        while (budget-- > 0 && _leaving.TryPeek(out var left) && left.Sequence <= cleared)
        {
            _leaving.Dequeue();
            // It may have come back meanwhile.
            if (left.IsState ? !IsIn(left.Order, (OrderState)left.What) : !HasOpen(left.Order, (ExceptionKind)left.What))
                (left.IsState ? _byState : _byException)[left.What]?.Remove(left.Order);
        }
    }

    /// <summary>The numbers between which all orders accepted in a span of time lie, and at most <see cref="OrdersPerMark"/> others at either end.</summary>
    /// <param name="since">Microseconds; 0: from the beginning.</param>
    /// <param name="before">Microseconds, exclusive; 0: to the end.</param>
    /// <param name="last">The highest order.</param>
    public (long First, long Last) Between(long since, long before, long last)
    {
        // Marks below a time, counted by halving: mark m is the time of order m * OrdersPerMark + 1.
        var marks = (last + OrdersPerMark - 1) / OrdersPerMark;
        var first = since == 0 ? 1 : Math.Max(0, MarksBelow(since, marks) - 1) * OrdersPerMark + 1;
        return (first, before == 0 ? last : Math.Min(last, MarksBelow(before, marks) * OrdersPerMark));
    }

    /// <summary>Checks that the sets hold what the rows say. For tests; costs a walk over all orders. Writer only.</summary>
    public IEnumerable<string> Check()
    {
        var leaving = _leaving.Select(left => (left.Order, left.IsState, left.What)).ToHashSet();
        for (long order = 1; order <= orders.Count; order++)
        {
            if (orders.Latest(order).IsEmpty) continue;
            var head = new OrderView(orders.Latest(order)).Head;
            if (!_unchained.Contains(order) && Channels.AtOrBelow(head.Channel, order) != order) yield return $"Order {order} is not in the chain of its channel.";
            if (!_unchained.Contains(order) && head.Customer != 0 && Customers.AtOrBelow(head.Customer, order) != order) yield return $"Order {order} is not in the chain of its customer.";
            for (var tier = 0; tier <= Limits.Tier; tier++)
                if ((OfTier(tier)?.Contains(order) ?? false) != (head.Tier == tier)) yield return $"Order {order} of tier {head.Tier} is in the wrong set.";
            for (var what = 0; what < States; what++)
                if (Wrong(_byState[what], order, head.State == (OrderState)what, leaving.Contains((order, true, (byte)what))))
                    yield return $"Order {order} is {head.State}, the set of {(OrderState)what} disagrees.";
            for (var what = 0; what < ExceptionKinds; what++)
                if (Wrong(_byException[what], order, HasOpen(order, (ExceptionKind)what), leaving.Contains((order, false, (byte)what))))
                    yield return $"The set of exceptions {(ExceptionKind)what} disagrees with order {order}.";
        }
    }

    private static bool Wrong(NumberSet? set, long order, bool belongs, bool leaves) =>
        (set?.Contains(order) ?? false) != belongs && (belongs || !leaves);

    private long MarksBelow(long time, long marks)
    {
        long low = 0, high = marks;
        while (low < high)
        {
            var middle = (low + high) / 2;
            _marks.TryRead(middle, out var mark);
            if (mark < time) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private bool IsIn(long order, OrderState state)
    {
        var row = orders.Latest(order);
        return !row.IsEmpty && new OrderView(row).Head.State == state;
    }

    private bool HasOpen(long order, ExceptionKind kind)
    {
        var row = orders.Latest(order);
        if (row.IsEmpty) return false;
        var head = new OrderView(row).Head;
        if (kind == AnyException || head.OpenExceptions == 0) return head.OpenExceptions > 0;
        for (long number = head.LastException; number != 0; number = exceptions.Of(number).Head.Previous)
            if (exceptions.Of(number).IsOpen && exceptions.Of(number).Head.Kind == kind) return true;
        return false;
    }
}
