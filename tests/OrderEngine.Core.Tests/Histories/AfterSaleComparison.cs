// Compares what the core shows of returns with what the model holds. One thread.

using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class AfterSaleComparison
{
    public static void Whole(OrderCore core, NaiveModel model)
    {
        Assert.Equal(model.Returns.Count, core.Reader.LastReturn);
        foreach (var expected in model.Returns) Return(core, model, expected);
        foreach (var order in model.Orders) Order(core, model, order.Number);
    }

    public static void Return(OrderCore core, NaiveModel model, ModelReturn expected)
    {
        using var guard = core.Reader.Enter();
        var view = core.Reader.Return(expected.Number, core.Sequence);
        Assert.True(view.Exists);
        var head = view.Head;
        Assert.Equal(
            (expected.Order, expected.State, expected.Version, expected.ChangedAt, expected.RequestedAt, expected.RequestedSequence, expected.Replacement, expected.Refund, expected.Location),
            (head.Order, head.State, head.Version, head.ChangedAt, head.RequestedAt, head.RequestedSequence, head.Replacement, head.Refund, head.Location));
        Assert.Equal(expected.Fallen, head.Credited != 0);
        Assert.True(view.ExternalId.SequenceEqual(expected.ExternalId));
        Assert.Equal(expected.Requested.Count, view.Lines.Length);
        for (var i = 0; i < view.Lines.Length; i++)
        {
            var line = view.Lines[i];
            Assert.Equal(expected.Requested[line.Line], line.Requested);
            Assert.Equal(
                (expected.Came(line.Line, Disposition.Restock), expected.Came(line.Line, Disposition.Quarantine), expected.Came(line.Line, Disposition.Scrap), expected.Came(line.Line, Disposition.Repair)),
                (line.Restocked, line.Quarantined, line.Scrapped, line.Repaired));
        }
        Assert.Equal(expected.Replacements.Length, view.Replacements.Length);
        for (var i = 0; i < view.Replacements.Length; i++)
            Assert.Equal(expected.Replacements[i], new DraftLine(view.Replacements[i].Sku, view.Replacements[i].Quantity, view.Replacements[i].UnitPrice));
        Order(core, model, expected.Order);
        if (expected.Replacement != 0) Order(core, model, expected.Replacement);
    }

    private static void Order(OrderCore core, NaiveModel model, long number)
    {
        var returns = model.Returns.Where(r => r.Order == number).ToList();
        var row = core.Reader.AfterSale(number, core.Sequence);
        Assert.Equal(
            (returns.Count, returns.Count(r => r.IsOpen), returns.Sum(r => r.Refund), returns.LastOrDefault()?.Number ?? 0, model.Returns.SingleOrDefault(r => r.Replacement == number)?.Number ?? 0),
            (row.Returns, row.OpenReturns, row.Refund, row.LastReturn, row.ForReturn));
        foreach (var (newer, older) in returns.Skip(1).Zip(returns)) Assert.Equal(older.Number, core.Reader.Return(newer.Number, core.Sequence).Head.Previous);
    }
}
