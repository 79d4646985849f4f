// Listing complaints, newest first: from the order's chain, the customer's, the set of open ones, or all; what is left is looked at as a row, as of one
// sequence. Any thread, inside a guard. The work of a call is bounded.

namespace OrderEngine.Core.State;

/// <summary>Which complaints are wanted; what is 0 or false asks for nothing.</summary>
/// <param name="Order">Of this order.</param>
/// <param name="Customer">Of this customer.</param>
/// <param name="OpenOnly">Not resolved.</param>
/// <param name="Category">About this.</param>
/// <param name="Owner">For this role to look into.</param>
public sealed record ComplaintQuery(long Order, int Customer, bool OpenOnly, ComplaintCategory Category, Role Owner);

/// <summary>One call.</summary>
internal readonly ref struct ComplaintListing(StateReader reader, ComplaintQuery query, long at)
{
    private readonly StateReader _reader = reader;
    private readonly ComplaintQuery _query = query;
    private readonly long _at = at;

    /// <summary>Gathers a page.</summary>
    public NumberPage Run(long after, int size, int looks)
    {
        var found = new List<long>(Math.Min(size, 128));
        var looked = 0;
        for (var number = First(after); number != 0; number = Before(number))
        {
            looked++;
            if (Matches(number)) found.Add(number);
            if (found.Count < size && looked < looks) continue;
            return new NumberPage(found, Before(number) == 0 ? 0 : number, looked, looked);
        }
        return new NumberPage(found, 0, looked, looked);
    }

    private long First(long after)
    {
        var most = after == 0 ? _reader.LastComplaint : after - 1;
        if (_query.Order == 0) return _query.Customer != 0 ? _reader.State.Complaints.Customers.AtOrBelow(_query.Customer, most) : AtOrBelow(most);
        // An order has few of them.
        var number = _reader.Care(_query.Order, _at).LastComplaint;
        while (number > most) number = _reader.Complaint(number, _at).Head.Previous;
        return number;
    }

    private long Before(long number) => _query.Order != 0 ? _reader.Complaint(number, _at).Head.Previous
        : _query.Customer != 0 ? _reader.State.Complaints.Customers.Before(number) : AtOrBelow(number - 1);

    private long AtOrBelow(long number) => number < 1 ? 0 : _query.OpenOnly ? _reader.State.Complaints.Open.Previous(number) : number;

    private bool Matches(long number)
    {
        var complaint = _reader.Complaint(number, _at);
        if (!complaint.Exists) return false;
        ref readonly var head = ref complaint.Head;
        return (!_query.OpenOnly || head.State != ComplaintState.Resolved)
            && (_query.Category == ComplaintCategory.None || head.Category == _query.Category)
            && (_query.Owner == Role.None || head.Owner == _query.Owner)
            && (_query.Order == 0 || head.Order == _query.Order)
            && (_query.Customer == 0 || _reader.Order(head.Order, _at).Head.Customer == _query.Customer);
    }
}
