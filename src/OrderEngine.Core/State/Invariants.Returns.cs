// The invariants of returns: what lines and orders say of them is what the returns themselves say.

namespace OrderEngine.Core.State;

public static partial class Invariants
{
    private sealed partial class Walk
    {
        private readonly Dictionary<(long Order, int Line), (long Returned, long Open)> _returned = [];

        // Fewer than came back in exchanges, where they came before they were told apart.
        private readonly Dictionary<(long Order, int Line), long> _exchanged = [];

        private void CheckReturns()
        {
            var counts = new Dictionary<long, (long All, long Open, long Refund)>();
            for (long number = 1; number <= reader.LastReturn; number++)
            {
                var view = reader.Return(number, at);
                if (!view.Exists) continue;
                ref readonly var head = ref view.Head;
                var (all, open, refund) = counts.GetValueOrDefault(head.Order);
                counts[head.Order] = (all + 1, open + (head.IsOpen ? 1 : 0), refund + head.Refund);
                foreach (ref readonly var line in view.Lines)
                {
                    Expect(line is { Restocked: >= 0, Quarantined: >= 0, Scrapped: >= 0, Repaired: >= 0, Expected: >= 0 },
                        $"Line {line.Line} of return {number}: of {line.Requested} requested {line.Returned} came back and {line.Repaired} are for repair.");
                    var said = _returned.GetValueOrDefault((head.Order, line.Line));
                    _returned[(head.Order, line.Line)] = (said.Returned - line.Returned, said.Open - (head.IsOpen ? line.Requested - line.Returned : 0));
                    if (head.IsExchange && _exchanged.TryGetValue((head.Order, line.Line), out var left)) _exchanged[(head.Order, line.Line)] = left - line.Returned;
                }
                if (head.Credited != 0 && reader.LiveOrder(head.Replacement, at) is { Exists: true } sent)
                    Expect(sent.Head.State is OrderState.Cancelled or OrderState.Lost, $"Return {number} is credited, and its replacement {head.Replacement} is {sent.Head.State}.");
                if (head.Replacement != 0) Expect(reader.AfterSale(head.Replacement, at).ForReturn == number, $"Order {head.Replacement} does not know that it replaces goods of return {number}.");
            }
            // An archived order's lines are in the archive.
            foreach (var (key, left) in _returned.Where(pair => reader.LiveOrder(pair.Key.Order, at).Exists).OrderBy(pair => pair.Key))
                Expect(left == (0, 0), $"Line {key.Line} of order {key.Order}: the returns know of {left.Returned} units returned and {left.Open} to come fewer than the line.");
            foreach (var (key, left) in _exchanged.OrderBy(pair => pair.Key))
                Expect(left <= 0, $"Line {key.Line} of order {key.Order}: {left} units are exchanged that came back in no exchange.");
            for (long order = 1; order <= reader.LastOrder; order++)
            {
                var row = reader.AfterSale(order, at);
                var (all, open, refund) = counts.GetValueOrDefault(order);
                Expect((row.Returns, row.OpenReturns, row.Refund) == (all, open, refund),
                    $"Order {order} counts {row.Returns} returns, {row.OpenReturns} open, refund {row.Refund}; there are {all}, {open}, {refund}.");
                if (row.ForReturn != 0) Expect(reader.Return(row.ForReturn, at).Head.Replacement == order, $"Return {row.ForReturn} does not know of its replacement order {order}.");
            }
        }
    }
}
