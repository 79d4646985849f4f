// Proves: the derived order state is domain.md's table, the transition table is whole and is what it says, and outcomes bind as errors.proto says.

using System.Reflection;
using Google.Protobuf.Reflection;
using ErrorReason = OrderEngine.Contracts.V1.ErrorReason;
using ErrorsExtensions = OrderEngine.Contracts.V1.ErrorsExtensions;
using ErrorsReflection = OrderEngine.Contracts.V1.ErrorsReflection;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class OrderLifeTests
{
    // ordered, cancelled, unallocated, backordered, reserved, released, shipped, delivered, lost
    public static TheoryData<OrderState, int[]> States => new()
    {
        { OrderState.Cancelled, [5, 5, 0, 0, 0, 0, 0, 0, 0] },
        { OrderState.Lost, [5, 0, 0, 0, 0, 0, 5, 0, 5] },
        { OrderState.Lost, [5, 2, 0, 0, 0, 0, 3, 0, 3] },
        { OrderState.Delivered, [5, 0, 0, 0, 0, 0, 5, 5, 0] },
        { OrderState.Delivered, [5, 1, 0, 0, 0, 0, 4, 3, 1] },
        { OrderState.Shipped, [5, 0, 0, 0, 0, 0, 5, 4, 0] },
        { OrderState.Shipped, [5, 2, 0, 0, 0, 0, 3, 0, 2] },
        { OrderState.PartiallyShipped, [5, 0, 0, 0, 0, 1, 4, 4, 0] },
        { OrderState.PartiallyShipped, [5, 0, 0, 4, 0, 0, 1, 1, 0] },
        { OrderState.Fulfilling, [5, 0, 0, 0, 4, 1, 0, 0, 0] },
        { OrderState.Fulfilling, [5, 0, 0, 4, 0, 1, 0, 0, 0] },
        { OrderState.Ready, [5, 0, 0, 0, 5, 0, 0, 0, 0] },
        { OrderState.Ready, [5, 4, 0, 0, 1, 0, 0, 0, 0] },
        { OrderState.PartiallyReserved, [5, 0, 0, 4, 1, 0, 0, 0, 0] },
        { OrderState.PartiallyReserved, [5, 0, 1, 0, 4, 0, 0, 0, 0] },
        { OrderState.Backordered, [5, 0, 0, 5, 0, 0, 0, 0, 0] },
        { OrderState.Backordered, [5, 0, 5, 0, 0, 0, 0, 0, 0] },
        { OrderState.Backordered, [5, 4, 0, 1, 0, 0, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void A_state_follows_from_the_quantities(OrderState expected, int[] q)
    {
        var line = Line(q);
        Assert.Equal(expected, OrderStates.Derive([line]));
        // However the units are spread over lines, and whatever cancelled lines stand beside them.
        var gone = Line([7, 7, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(expected, OrderStates.Derive([gone, line, gone]));
        Assert.Equal(expected, OrderStates.Derive([line, line]));
    }

    [Fact]
    public void Lines_in_different_states_make_one_state_of_the_order()
    {
        var delivered = Line([2, 0, 0, 0, 0, 0, 2, 2, 0]);
        var lost = Line([2, 0, 0, 0, 0, 0, 2, 0, 2]);
        var shipped = Line([2, 0, 0, 0, 0, 0, 2, 0, 0]);
        var reserved = Line([2, 0, 0, 0, 2, 0, 0, 0, 0]);
        var waiting = Line([2, 0, 0, 2, 0, 0, 0, 0, 0]);
        Assert.Equal(OrderState.Delivered, OrderStates.Derive([delivered, lost]));
        Assert.Equal(OrderState.Shipped, OrderStates.Derive([delivered, shipped]));
        Assert.Equal(OrderState.PartiallyShipped, OrderStates.Derive([delivered, reserved]));
        Assert.Equal(OrderState.PartiallyReserved, OrderStates.Derive([reserved, waiting]));
    }

    [Theory]
    [MemberData(nameof(States))]
    public void A_stored_state_stays_whatever_the_quantities_but_goes_with_the_last_unit(OrderState derived, int[] q)
    {
        var line = Line(q);
        foreach (var state in Enum.GetValues<OrderState>())
        {
            var expected = state switch
            {
                OrderState.Rejected or OrderState.Completed => state,
                OrderState.PendingReview or OrderState.AwaitingPayment or OrderState.Expired => derived == OrderState.Cancelled ? derived : state,
                _ => derived,
            };
            Assert.Equal(expected, OrderStates.Derive(state, [line]));
        }
    }

    [Fact]
    public void Every_command_has_one_row_and_Allows_says_what_it_says()
    {
        Assert.Equal(Enum.GetValues<CommandKind>().Order(), Transitions.Table.Select(row => row.Command).Order());
        foreach (var row in Transitions.Table)
        {
            Assert.Same(row, Transitions.Of(row.Command));
            Assert.Contains(row.Default, row.Roles);
            Assert.DoesNotContain(Role.None, row.Roles);
            foreach (var role in Enum.GetValues<Role>()) Assert.Equal(row.Roles.Contains(role), Transitions.Allows(row.Command, role));
            foreach (var state in Enum.GetValues<OrderState>()) Assert.Equal(row.From.Contains(state), Transitions.Allows(row.Command, state));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => Transitions.Of(0));
    }

    // domain.md: cancel takes unallocated, backordered and reserved; release takes reserved; ship takes released; deliver what is shipped.
    [Fact]
    public void A_command_may_be_asked_wherever_it_could_find_units_and_nowhere_else()
    {
        var cancel = Transitions.Of(CommandKind.CancelOrder).From;
        var release = Transitions.Of(CommandKind.ReleaseShipment).From;
        var ship = Transitions.Of(CommandKind.ConfirmShipment).From;
        var deliver = Transitions.Of(CommandKind.RecordDelivery).From;
        foreach (var row in States)
        {
            var (state, q) = ((OrderState)row.ToArray()[0]!, (int[])row.ToArray()[1]!);
            if (q[2] + q[3] + q[4] > 0) Assert.Contains(state, cancel);
            if (q[4] > 0) Assert.Contains(state, release);
            if (q[5] > 0) Assert.Contains(state, ship);
            if (q[6] - q[7] - q[8] > 0) Assert.Contains(state, deliver);
        }
        foreach (var terminal in (OrderState[])[OrderState.Cancelled, OrderState.Delivered, OrderState.Lost])
            foreach (var from in (OrderState[][])[cancel, release, ship, deliver]) Assert.DoesNotContain(terminal, from);
    }

    [Fact]
    public void Outcomes_bind_and_are_numbered_as_the_catalogue_of_errors_says()
    {
        foreach (var outcome in Enum.GetValues<Outcome>().Where(o => o != Outcome.Ok))
        {
            var reason = (ErrorReason)(int)outcome;
            Assert.True(Enum.IsDefined(reason), $"{outcome} is not in the catalogue.");
            var name = typeof(ErrorReason).GetField(reason.ToString())!.GetCustomAttribute<OriginalNameAttribute>()!.Name;
            Assert.Equal(outcome.ToString().ToUpperInvariant(), name.Replace("_", "", StringComparison.Ordinal));
            var entry = ErrorsReflection.Descriptor.EnumTypes.Single(e => e.Name == nameof(ErrorReason)).FindValueByNumber((int)outcome).GetOptions().GetExtension(ErrorsExtensions.Error);
            Assert.True(entry.Binds == outcome.Binds(), $"{outcome}: the catalogue says {entry.Binds}.");
        }
        Assert.False(Outcome.Ok.Binds());
    }

    private static LineRow Line(int[] q) => new()
    {
        Sku = 1, Ordered = q[0], Cancelled = q[1], Unallocated = q[2], Backordered = q[3], Reserved = q[4], Released = q[5], Shipped = q[6], Delivered = q[7], Lost = q[8],
    };
}
