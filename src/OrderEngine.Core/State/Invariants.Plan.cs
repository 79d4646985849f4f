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
        }
    }
}
