// The invariants of promises and supply requests.

namespace OrderEngine.Core.State;

public static partial class Invariants
{
    private sealed partial class Walk
    {
        private void CheckPromises(long number, ReadOnlySpan<LineRow> lines)
        {
            foreach (ref readonly var promise in reader.Promises(number, at))
                Expect(promise.PromisedAt > 0 && promise.Line >= 1 && promise.Line <= lines.Length && lines[promise.Line - 1].Backordered > 0,
                    $"Line {promise.Line} of order {number} was promised a date and does not wait.");
        }

        // What was added is a part of what its line waits for.
        private void CheckAdded(long number, ReadOnlySpan<LineRow> lines)
        {
            var seen = 0;
            foreach (ref readonly var added in reader.AddedUnits(number, at))
            {
                var present = added.Line >= 1 && added.Line <= lines.Length;
                Expect(present && added.Units > 0 && added.Units <= lines[added.Line - 1].Backordered, $"{added.Units} units added to line {added.Line} of order {number} wait, but not so many of it.");
                foreach (ref readonly var other in reader.AddedUnits(number, at)[..seen++])
                    Expect(other.Line != added.Line, $"Line {added.Line} of order {number} has more than one place for what was added.");
            }
        }

        // A SKU has one open request at most, and no more is asked for than orders wait for.
        private void CheckSupplyRequests()
        {
            var open = new HashSet<int>();
            for (long number = 1; number <= reader.LastSupplyRequest; number++)
            {
                if (!reader.SupplyRequest(number, at, out var request)) continue;
                Expect(request is { Quantity: >= 0, Announced: >= 0 }, $"Supply request {number} asks for {request.Quantity} units, {request.Announced} are announced.");
                Expect(request.Quantity == 0 || open.Add(request.Sku), $"SKU {Sku(request.Sku)} has more than one open supply request: {number}.");
            }
            CheckShortfalls();
        }

        // From the newest back, every request has an exception, open no longer than it; only requests of before SHORTFALL was raised have none.
        // One may be resolved earlier, by hand.
        private void CheckShortfalls()
        {
            var number = reader.LastSupplyRequest;
            for (var exception = reader.LastException; exception > 0; exception--)
            {
                var raised = reader.Exception(exception, at);
                if (!raised.Exists || raised.Head.Kind != ExceptionKind.Shortfall) continue;
                SupplyRequestRow request = default;
                while (number > 0 && !reader.SupplyRequest(number, at, out request)) number--;
                ref readonly var head = ref raised.Head;
                Expect(number > 0 && head.Order == 0 && (head.Sku, head.Location, head.RaisedAt) == (request.Sku, request.Location, request.RaisedAt),
                    $"Shortfall {exception} was not raised with supply request {number}.");
                Expect(request.Quantity > 0 || !raised.IsOpen, $"Shortfall {exception} is open, its supply request {number} is closed.");
                number--;
            }
        }
    }
}
