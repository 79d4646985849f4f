// An OrderFilter made ready for matching, and under which key a subscriber is best looked up. Immutable; any thread.

using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Engine;

internal enum FilterKey
{
    All,
    Channel,
    Customer,
    Order,
}

internal sealed class OrderMatcher
{
    private readonly HashSet<int>? _channels;
    private readonly HashSet<int>? _customers;
    private readonly HashSet<long>? _orders;
    private readonly uint _states;

    public OrderMatcher(OrderFilter filter)
    {
        _channels = filter.Channels.Length == 0 ? null : [.. filter.Channels];
        _customers = filter.Customers.Length == 0 ? null : [.. filter.Customers];
        _orders = filter.Orders.Length == 0 ? null : [.. filter.Orders];
        foreach (var state in filter.States) _states |= Bit(state);
        (Key, Values) = this switch
        {
            { _orders: { } orders } => (FilterKey.Order, [.. orders]),
            { _customers: { } customers } => (FilterKey.Customer, [.. customers.Select(number => (long)number)]),
            { _channels: { } channels } => (FilterKey.Channel, [.. channels.Select(number => (long)number)]),
            _ => (FilterKey.All, Array.Empty<long>()),
        };
    }

    /// <summary>The most selective list that is given.</summary>
    public FilterKey Key { get; }

    /// <summary>Its entries, each once; an event has one of each kind and so finds a subscriber at most once.</summary>
    public long[] Values { get; }

    /// <summary>Events that order streams carry: those of an order.</summary>
    public static bool IsOrderEvent(in EventView e) => e.Order != 0;

    public bool Matches(in EventView e) =>
        IsOrderEvent(in e)
        && (_orders is null || _orders.Contains(e.Order))
        && (_customers is null || _customers.Contains(e.Customer))
        && (_channels is null || _channels.Contains(e.Channel))
        && (_states == 0 || (_states & (Bit(e.Before) | Bit(e.After))) != 0);

    private static uint Bit(OrderState state) => 1u << ((int)state & 31);
}
