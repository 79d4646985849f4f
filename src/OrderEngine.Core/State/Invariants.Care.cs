// The invariants of complaints: what orders count is what the complaints themselves say.

namespace OrderEngine.Core.State;

public static partial class Invariants
{
    private sealed partial class Walk
    {
        private void CheckErasures()
        {
            var keys = new HashSet<long>();
            for (long number = 1; number <= reader.LastErasure; number++)
            {
                if (!reader.Erasure(number, at, out var row)) continue;
                Expect(row.Key == 0 || keys.Add(row.Key), $"Key {row.Key} was erased twice.");
                Expect((row.Customer == 0) != (row.Order == 0), $"Erasure {number} is of customer {row.Customer} and order {row.Order}.");
                if (row.Order == 0) continue;
                var order = reader.LiveOrder(row.Order, at);
                if (order.Exists) Expect((order.Head.Details & OrderDetails.Erased) != 0, $"Order {row.Order} does not know that it was erased.");
            }
        }

        private void CheckComplaints()
        {
            var counts = new Dictionary<long, (int All, int Open, long Last)>();
            for (long number = 1; number <= reader.LastComplaint; number++)
            {
                var view = reader.Complaint(number, at);
                if (!view.Exists) continue;
                ref readonly var head = ref view.Head;
                var (all, open, last) = counts.GetValueOrDefault(head.Order);
                Expect(head.Previous == last, $"Complaint {number} of order {head.Order} follows {head.Previous}, there is {last}.");
                Expect((head.State == ComplaintState.Resolved) == (head.ResolvedAt != 0), $"Complaint {number} is {head.State}, but was resolved at {head.ResolvedAt}.");
                if (head.Return != 0) Expect(reader.Return(head.Return, at).Head.Order == head.Order, $"Complaint {number} of order {head.Order} goes with return {head.Return} of another.");
                counts[head.Order] = (all + 1, open + (head.State == ComplaintState.Resolved ? 0 : 1), number);
            }
            for (long order = 1; order <= reader.LastOrder; order++)
            {
                var row = reader.Care(order, at);
                var (all, open, last) = counts.GetValueOrDefault(order);
                Expect((row.Complaints, row.OpenComplaints, row.LastComplaint) == (all, open, last),
                    $"Order {order} counts {row.Complaints} complaints, {row.OpenComplaints} open, the last {row.LastComplaint}; there are {all}, {open}, {last}.");
                Expect((row.Feedback == 0) == (row.Rating == 0) && row.Rating is >= 0 and <= Limits.Rating, $"Order {order} has feedback of event {row.Feedback} and rating {row.Rating}.");
            }
        }
    }
}
