// Compares what the core shows of customer care with what the model holds. One thread, inside a guard.

using System.Text;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class CareComparison
{
    public static void Whole(OrderCore core, NaiveModel model)
    {
        var reader = core.Reader;
        using var guard = reader.Enter();
        Assert.Equal(model.Complaints.Count, reader.LastComplaint);
        foreach (var expected in model.Complaints) Complaint(reader, expected, core.Sequence);
        foreach (var order in model.Orders)
        {
            var complaints = model.Complaints.Where(c => c.Opened.Order == order.Number).ToList();
            var row = reader.Care(order.Number, core.Sequence);
            Assert.Equal((complaints.Count, complaints.Count(c => c.State != ComplaintState.Resolved), complaints.LastOrDefault()?.Number ?? 0), (row.Complaints, row.OpenComplaints, row.LastComplaint));
            foreach (var (newer, older) in complaints.Skip(1).Zip(complaints)) Assert.Equal(older.Number, reader.Complaint(newer.Number, core.Sequence).Head.Previous);
        }
        Assert.Equal(model.DestroyedKeys.Count, reader.LastErasure);
        // Which of an order's keys goes first is of no account.
        var destroyed = new List<long>();
        for (var i = 0; i < model.DestroyedKeys.Count; i++)
        {
            Assert.True(reader.Erasure(i + 1, core.Sequence, out var row));
            destroyed.Add(row.Key);
        }
        Assert.Equal(model.DestroyedKeys.Order(), destroyed.Order());
        for (var customer = 1; customer <= model.Customers.Count; customer++)
            Assert.Equal((model.CustomerKeys.GetValueOrDefault(customer), model.ErasedCustomers.GetValueOrDefault(customer)), (reader.CustomerKey(customer), reader.ErasedAt(customer, core.Sequence)));
        var random = new Random((int)core.Sequence);
        for (var i = 0; i < 4; i++)
            List(reader, model, new ComplaintQuery(random.Next(3) == 0 ? random.Next(1, model.Orders.Count + 1) : 0, random.Next(3) == 0 ? random.Next(1, 6) : 0, random.Next(2) == 0,
                (ComplaintCategory)Math.Max(0, random.Next(-8, 9)), (Role)Math.Max(0, random.Next(-9, 9))), core.Sequence, random.Next(1, 4));
    }

    private static void Complaint(StateReader reader, ModelComplaint expected, long at)
    {
        var view = reader.Complaint(expected.Number, at);
        Assert.True(view.Exists);
        var head = view.Head;
        Assert.Equal((expected.Opened.Order, expected.OpenedAt, expected.OpenedSequence, expected.Version, expected.ResolvedAt, expected.Return),
            (head.Order, head.OpenedAt, head.OpenedSequence, head.Version, head.ResolvedAt, head.Return));
        Assert.Equal((expected.Opened.Category, expected.State, expected.Owner, expected.Resolution, expected.Assignee),
            (head.Category, head.State, head.Owner, head.Resolution, Encoding.UTF8.GetString(view.Assignee)));
    }

    private static void List(StateReader reader, NaiveModel model, ComplaintQuery query, long at, int size)
    {
        var expected = Enumerable.Reverse(model.Complaints).Where(c => (query.Order == 0 || c.Opened.Order == query.Order)
            && (query.Customer == 0 || model.Orders[(int)c.Opened.Order - 1].Submitted.Customer == query.Customer) && (!query.OpenOnly || c.State != ComplaintState.Resolved)
            && (query.Category == ComplaintCategory.None || c.Opened.Category == query.Category) && (query.Owner == Role.None || c.Owner == query.Owner)).Select(c => c.Number);
        var found = new List<long>();
        long after = 0;
        do
        {
            var page = reader.ListComplaints(query, at, after, size, looks: 7);
            Assert.InRange(page.Numbers.Count, 0, size);
            found.AddRange(page.Numbers);
            after = page.After;
        }
        while (after != 0);
        Assert.Equal(expected, found);
    }

    public static void Order(OrderCore core, NaiveModel model, ModelOrder expected)
    {
        var care = core.Reader.Care(expected.Number, core.Sequence);
        Assert.Equal(model.Feedback.GetValueOrDefault(expected.Number), (care.Feedback, care.Rating));
        var head = core.Reader.Order(expected.Number, core.Sequence).Head;
        var extras = expected.Submitted.Extras;
        Assert.Equal(expected.Erased, (head.Details & OrderDetails.Erased) != 0);
        Assert.Equal((expected.Notes.Count, extras?.Attributes.Length > 0, extras?.SpecialRequests.Key > 0),
            (head.Notes, (head.Details & OrderDetails.Attributes) != 0, (head.Details & OrderDetails.SpecialRequests) != 0));
        if (head.Notes == 0) return;
        var notes = new List<(long, string)>();
        for (long cursor = 0; core.Reader.PreviousEvent(expected.Number, core.Sequence, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.NoteAdded) notes.Add((e.Sequence, Convert.ToHexString(Ciphertext(e.Body))));
        }
        Assert.Equal(Enumerable.Reverse(expected.Notes), notes);
    }

    private static byte[] Ciphertext(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == PersonalFields.NoteText) return SealedData.Read(reader.Bytes()).Ciphertext;
            reader.Skip(wireType);
        }
        return [];
    }
}
