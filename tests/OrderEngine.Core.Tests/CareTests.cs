// Proves: an order whose channel asks for it waits for its customer's word before it is released; somebody is told when that does not come;
// notes are counted and bounded, and hold an order back when a review rule looks for their words; attributes cost an order without them nothing.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class CareTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void An_order_is_not_released_before_its_customer_has_confirmed_it()
    {
        Ask();
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        Assert.Equal((OrderState.Ready, OrderHolds.Confirmation), (_shop.Head(1).State, _shop.Head(1).Holds));
        var release = new ReleaseShipment { Order = 1, Role = Role.Warehouse };
        Assert.Equal(Outcome.OrderOnHold, _shop.Do(release).Outcome);
        Assert.Equal(Outcome.RoleNotAllowed, _shop.Do(new ConfirmOrder { Order = 1, Role = Role.Reviewer }).Outcome);
        // Another hold stays when this one ends.
        _shop.Ok(new PlaceHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Support });
        _shop.Ok(new ConfirmOrder { Order = 1, Role = Role.Customer });
        Assert.Equal(OrderHolds.Address, _shop.Head(1).Holds);
        Assert.Equal(Outcome.NothingToConfirm, _shop.Do(new ConfirmOrder { Order = 1, Role = Role.Customer }).Outcome);
        _shop.Ok(new ReleaseHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Support });
        _shop.Ok(release);
        _shop.Now += 4 * Shop.Day;
        _shop.Turn();
        Assert.Equal(0, _shop.Head(1).OpenExceptions);
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());
    }

    [Fact]
    public void Somebody_is_told_when_the_confirmation_does_not_come_and_it_may_still_come_later()
    {
        Ask(dueSeconds: 7_200);
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        _shop.Ok(new CancelOrder { Order = 2, Role = Role.Customer });
        _shop.Now += 2 * Shop.Hour - 1;
        _shop.Turn();
        Assert.Equal(0, _shop.Core.Reader.LastException);
        _shop.Now++;
        // A command on the order finds the deadline passed, without a turn.
        _shop.Ok(new AddNote { Order = 1, Text = new SealedData(1, [1]), Role = Role.Support });
        _shop.Turn();
        var raised = _shop.Core.Reader.Exception(1, _shop.Core.Sequence).Head;
        Assert.Equal((1, 1L, ExceptionKind.DeadlineMissed, DeadlineKind.Confirmation, Role.Support), ((int)_shop.Core.Reader.LastException, raised.Order, raised.Kind, raised.Deadline, raised.Owner));
        Assert.Equal((OrderState.Ready, OrderHolds.Confirmation), (_shop.Head(1).State, _shop.Head(1).Holds));
        _shop.Ok(new ConfirmOrder { Order = 1, Role = Role.Support });
        Assert.Equal(OrderHolds.None, _shop.Head(1).Holds);
        Assert.Empty(_shop.Core.CheckIndexes());
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());
    }

    [Fact]
    public void Notes_are_bounded_and_the_words_that_review_looks_for_hold_an_order_back_until_it_has_left()
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        _shop.Ok(Note());
        Assert.Equal((1, OrderHolds.None), (_shop.Head(1).Notes, _shop.Head(1).Holds));
        _shop.Ok(Note("urgent"));
        Assert.Equal((2, OrderHolds.Manual), (_shop.Head(1).Notes, _shop.Head(1).Holds));
        _shop.Ok(new ReleaseHold { Order = 1, Hold = OrderHolds.Manual, Role = Role.Reviewer });
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(Note("urgent"));
        Assert.Equal(OrderHolds.None, _shop.Head(1).Holds);
        for (var i = 3; i < Limits.NotesPerOrder; i++) _shop.Ok(Note());
        var sequence = _shop.Core.Sequence;
        Assert.Equal((Outcome.NoteLimitReached, sequence), (_shop.Do(Note()).Outcome, _shop.Core.Sequence));
        Assert.Equal(Limits.NotesPerOrder, _shop.Head(1).Notes);
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());

        static AddNote Note(params string[] rules) => new() { Order = 1, Text = new SealedData(1, [1, 2]), NoteRules = [.. rules.Select(Shop.Bytes)], Role = Role.Support };
    }

    [Fact]
    public void Attributes_stand_in_the_acceptance_alone_and_an_order_without_them_is_as_large_as_ever()
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        var plain = _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        var order = _shop.Order(AllocationPolicy.AllOrNothing, (1, 1));
        var extra = _shop.Ok(new SubmitOrder
        {
            Channel = order.Channel, ExternalId = order.ExternalId, Policy = order.Policy, CurrencyCode = order.CurrencyCode, Lines = order.Lines, Role = order.Role, RequestKey = order.RequestKey,
            BodyDigest = order.BodyDigest, Extras = new OrderExtras { Attributes = [new OrderAttribute(Shop.Bytes("k"), new byte[100])], SpecialRequests = new SealedData(7, new byte[90]) },
        });
        Assert.Equal((OrderDetails.None, OrderDetails.Attributes | OrderDetails.SpecialRequests), (_shop.Head(1).Details, _shop.Head(2).Details));
        Assert.Equal(7, _shop.Core.Reader.HighestKey);
        Assert.InRange(extra.Length - plain.Length, 100 + 90, 100 + 90 + 25);
        Assert.Equal(_shop.Core.State.Orders.Latest(1).Length, _shop.Core.State.Orders.Latest(2).Length);
    }

    [Fact]
    public void A_complaint_is_opened_owned_and_resolved_once_with_a_return_of_its_own_order()
    {
        Delivered(2);
        _shop.Ok(new RequestReturn { Order = 1, Role = Role.Customer });
        _shop.Ok(Complain(1));
        _shop.Ok(Complain(2));
        Assert.Equal(Outcome.ComplaintReturnMismatch, _shop.Do(Resolve(2, withReturn: 1)).Outcome);
        _shop.Ok(new AssignComplaint { Complaint = 1, Owner = Role.Warehouse, Assignee = Shop.Bytes("w-17"), Role = Role.Support });
        var owned = _shop.Core.Reader.Complaint(1, _shop.Core.Sequence);
        Assert.Equal((ComplaintState.Owned, Role.Warehouse, 4), (owned.Head.State, owned.Head.Owner, owned.Assignee.Length));
        _shop.Ok(Resolve(1, withReturn: 1));
        Assert.Equal(Outcome.ComplaintClosed, _shop.Do(Resolve(1)).Outcome);
        Assert.Equal(Outcome.ComplaintClosed, _shop.Do(new AssignComplaint { Complaint = 1, Owner = Role.Support, Role = Role.Support }).Outcome);
        Assert.Equal(Outcome.ComplaintNotFound, _shop.Do(Resolve(3)).Outcome);
        Assert.Equal(Outcome.RoleNotAllowed, _shop.Do(new AssignComplaint { Complaint = 2, Owner = Role.Support, Role = Role.Customer }).Outcome);
        var care = _shop.Core.Reader.Care(1, _shop.Core.Sequence);
        Assert.Equal((1, 0, 1L, 1L), (care.Complaints, care.OpenComplaints, care.LastComplaint, _shop.Core.Reader.Complaint(1, _shop.Core.Sequence).Head.Return));
        for (var i = 1; i < Limits.ComplaintsPerOrder; i++) _shop.Ok(Complain(1));
        Assert.Equal(Outcome.ComplaintLimitReached, _shop.Do(Complain(1)).Outcome);
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());

        static OpenComplaint Complain(long order) => new() { Order = order, Category = ComplaintCategory.Damaged, Owner = Role.Support, Text = new SealedData(1, [1]), Role = Role.Customer };
        static ResolveComplaint Resolve(long complaint, long withReturn = 0) => new() { Complaint = complaint, Resolution = ComplaintResolution.Refunded, Return = withReturn, Role = Role.Support };
    }

    [Fact]
    public void Feedback_is_given_once_on_an_order_that_came()
    {
        Delivered(1);
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        Assert.Equal(Outcome.IllegalTransition, _shop.Do(Rate(2, 5)).Outcome);
        _shop.Ok(Rate(1, 4));
        Assert.Equal(Outcome.FeedbackGiven, _shop.Do(Rate(1, 1)).Outcome);
        Assert.Equal(4, _shop.Core.Reader.Care(1, _shop.Core.Sequence).Rating);

        static RecordFeedback Rate(long order, int rating) => new() { Order = order, Rating = rating, Role = Role.Customer };
    }

    [Fact]
    public void Nothing_is_taken_of_a_customer_who_was_erased_and_asked_again_nothing_happens()
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(Of(new SealedData(8, [1])));
        // One key a customer: what was sealed under another is sent again.
        Assert.Equal(Outcome.PersonalKeyRaced, _shop.Do(Of(new SealedData(9, [1]))).Outcome);
        Assert.Equal(Outcome.PersonalKeyRaced, _shop.Do(new AddNote { Order = 1, Text = new SealedData(9, [1]), Role = Role.Support }).Outcome);
        _shop.Ok(new EraseCustomer { Customer = 2, Role = Role.Manager });
        var sequence = _shop.Core.Sequence;
        Assert.Equal(-1, _shop.Ok(new EraseCustomer { Customer = 2, Role = Role.Support }).Offset);
        Assert.Equal(sequence, _shop.Core.Sequence);
        Assert.Equal(_shop.Now, _shop.Core.Reader.ErasedAt(2, sequence));
        Assert.Equal(0, _shop.Core.Reader.ErasedAt(2, sequence - 1));
        Assert.Equal(0, _shop.Core.Reader.ErasedAt(1, sequence));
        Assert.True(_shop.Core.Reader.Erasure(1, sequence, out var row));
        Assert.Equal((8, 2, 0), (row.Key, row.Customer, row.Order));
        Assert.Equal(Outcome.PersonErased, _shop.Do(Of(new SealedData(8, [1]))).Outcome);
        Assert.Equal(Outcome.PersonErased, _shop.Do(_shop.Order(1, 2, AllocationPolicy.AllOrNothing, (1, 1))).Outcome);
        Assert.Equal(Outcome.PersonErased, _shop.Do(new AddNote { Order = 1, Text = new SealedData(8, []), Role = Role.Support }).Outcome);
        Assert.Equal(Outcome.PersonErased, _shop.Do(new DefineCustomer { Id = Shop.Bytes("customer-2"), Details = new SealedData(10, [1]), Role = Role.Channel }).Outcome);
        // Its rank may change, and its order goes on.
        _shop.Ok(new DefineCustomer { Id = Shop.Bytes("customer-2"), Tier = 5, Role = Role.Channel });
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal(Outcome.NotAGuestOrder, _shop.Do(new EraseOrder { Order = 1, Role = Role.Manager }).Outcome);
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());

        SubmitOrder Of(SealedData delivery)
        {
            var order = _shop.Order(1, 2, AllocationPolicy.AllOrNothing, (1, 1));
            return new SubmitOrder
            {
                Channel = 1, Customer = 2, ExternalId = order.ExternalId, Policy = order.Policy, CurrencyCode = order.CurrencyCode, Lines = order.Lines, Role = order.Role,
                RequestKey = order.RequestKey, BodyDigest = 1, Delivery = delivery,
            };
        }
    }

    [Fact]
    public void Every_key_of_a_guests_order_goes_with_it_and_no_other()
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Ok(new AddNote { Order = 1, Text = new SealedData(3, [1]), Role = Role.Support });
        _shop.Ok(new AddNote { Order = 2, Text = new SealedData(4, [1]), Role = Role.Support });
        _shop.Ok(new AmendOrder(CommandKind.AmendOrder) { Order = 1, Fields = AmendedFields.Delivery, Delivery = new SealedData(5, [1]), DeliveryFields = 2, Role = Role.Customer });
        _shop.Ok(new EraseOrder { Order = 1, Role = Role.Manager });
        Assert.Equal(-1, _shop.Ok(new EraseOrder { Order = 1, Role = Role.Manager }).Offset);
        var erased = new List<long>();
        for (var number = 1; _shop.Core.Reader.Erasure(number, _shop.Core.Sequence, out var row); number++) erased.Add(row.Key);
        Assert.Equal([5, 3], erased);
        Assert.Equal(Outcome.PersonErased, _shop.Do(new AddNote { Order = 1, Text = new SealedData(6, [1]), Role = Role.Support }).Outcome);
        Assert.Equal(Outcome.PersonErased, _shop.Do(new AddNote { Order = 2, Text = new SealedData(3, [1]), Role = Role.Support }).Outcome);
        _shop.Ok(new AddNote { Order = 2, Text = new SealedData(4, [1]), Role = Role.Support });
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
    }

    private void Delivered(int orders)
    {
        _shop.Ok(_shop.Receive(1, (1, 100)));
        for (var order = 1; order <= orders; order++)
        {
            _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
            _shop.Ok(new ReleaseShipment { Order = order, Role = Role.Warehouse });
            _shop.Ok(new ConfirmShipment { Order = order, Role = Role.Warehouse });
            _shop.Ok(new RecordDelivery { Order = order, Role = Role.Carrier });
        }
    }

    private void Ask(long dueSeconds = 0) => _shop.Ok(new DefineChannel
    {
        Id = Shop.Bytes("channel-1"), Limits = new ChannelLimits { RequiresConfirmation = true, ConfirmationDueSeconds = dueSeconds }, Role = Role.Manager,
    });
}
