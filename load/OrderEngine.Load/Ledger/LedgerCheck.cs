// After the load: is every order that was acknowledged there, once, as it was sent? Reads the server back and compares with the client's book.

using System.Diagnostics;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Ledger;

/// <summary>How the server is read back.</summary>
public enum LedgerMode
{
    /// <summary>Every order of the run's channel, through WatchOrders with snapshot_first: finds lost, doubled and altered ones.</summary>
    Snapshot,
    /// <summary>LookupOrder for every acknowledged order: finds lost and altered ones; a second order under the same external id cannot be seen.</summary>
    Lookup,
    /// <summary>Not at all.</summary>
    Off,
}

/// <summary>What the check found. Counts of orders.</summary>
public sealed record LedgerReport
{
    public required LedgerMode Mode { get; init; }

    /// <summary>Why nothing was checked; empty when it was.</summary>
    public string NotChecked { get; init; } = "";

    public long Acknowledged { get; init; }

    /// <summary>Acknowledged and there, once, under the id that was answered, with the lines that were sent.</summary>
    public long Confirmed { get; init; }

    /// <summary>Acknowledged and not there.</summary>
    public long Missing { get; init; }

    /// <summary>There more than once, or answered with two different ids.</summary>
    public long Doubled { get; init; }

    /// <summary>There under another id or with other lines.</summary>
    public long Altered { get; init; }

    /// <summary>Refused, and there all the same.</summary>
    public long RefusedButThere { get; init; }

    /// <summary>There without an answer having come: calls that were broken off. Allowed.</summary>
    public long Unanswered { get; init; }

    /// <summary>What VerifyInvariants found.</summary>
    public IReadOnlyList<string> Violations { get; init; } = [];

    /// <summary>The first orders that are not as they should be.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    public double Seconds { get; init; }

    public bool Passed => Missing == 0 && Doubled == 0 && Altered == 0 && RefusedButThere == 0 && Violations.Count == 0;
}

/// <summary>The check.</summary>
public static class LedgerCheck
{
    /// <summary>Examples told at most.</summary>
    public const int MaxExamples = 10;

    private const int LookupsAtOnce = 64;

    /// <summary>Reads the server back. An error of the server while reading is thrown: a check that cannot be made is no check.</summary>
    public static async Task<LedgerReport> RunAsync(RunContext run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var mode = run.Settings.Ledger;
        if (run.ServerIsNoOp) return new LedgerReport { Mode = mode, NotChecked = "the no-op server keeps nothing" };
        if (mode == LedgerMode.Off) return new LedgerReport { Mode = mode, NotChecked = "switched off" };
        var clock = Stopwatch.StartNew();
        var orders = mode == LedgerMode.Snapshot ? SnapshotAsync(run, cancellationToken) : LookupsAsync(run, cancellationToken);
        var report = await CompareAsync(run.Ledger, run.Workload, orders, mode);
        return report with { Violations = await ViolationsAsync(run, cancellationToken), Seconds = clock.Elapsed.TotalSeconds };
    }

    /// <summary>Compares the book with what the server has.</summary>
    public static async Task<LedgerReport> CompareAsync(OrderLedger ledger, Workload workload, IAsyncEnumerable<Order> orders, LedgerMode mode)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(orders);
        var seen = new ChunkedLongs();
        var expected = new SubmitOrderRequest();
        var examples = new List<string>();
        long confirmed = 0, doubled = ledger.Contradicted, altered = 0, refusedButThere = 0, unanswered = 0;
        void Example(string text)
        {
            if (examples.Count < MaxExamples) examples.Add(text);
        }

        await foreach (var order in orders)
        {
            if (!workload.TryIndex(order.ExternalOrderId, out var index)) continue;
            if (seen.SetOnce(index, 1) != 0)
            {
                doubled++;
                Example($"{order.ExternalOrderId} is there twice, once as {order.OrderId}");
            }
            else if (ledger.IsRefused(index))
            {
                refusedButThere++;
                Example($"{order.ExternalOrderId} was refused and is there as {order.OrderId}");
            }
            else if (!ledger.IsAcknowledged(index))
            {
                unanswered++;
            }
            else if (!ledger.WasAcknowledgedAs(index, order.OrderId) || !SameLines(workload, expected, index, order))
            {
                altered++;
                Example($"{order.ExternalOrderId} is there as {order.OrderId}, not as it was acknowledged");
            }
            else
            {
                confirmed++;
            }
        }

        long missing = 0;
        for (long index = 0; index < workload.Made; index++)
        {
            if (!ledger.IsAcknowledged(index) || seen[index] != 0) continue;
            missing++;
            Example($"{workload.ExternalId(index)} was acknowledged and is not there");
        }
        return new LedgerReport
        {
            Mode = mode,
            Acknowledged = ledger.Acknowledged,
            Confirmed = confirmed,
            Missing = missing,
            Doubled = doubled,
            Altered = altered,
            RefusedButThere = refusedButThere,
            Unanswered = unanswered,
            Examples = examples,
        };
    }

    private static bool SameLines(Workload workload, SubmitOrderRequest expected, long index, Order order)
    {
        workload.Fill(expected, index);
        var lines = expected.Order.Lines;
        if (lines.Count != order.Lines.Count) return false;
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].SkuId != order.Lines[i].SkuId || lines[i].Quantity != order.Lines[i].Quantity) return false;
        }
        return true;
    }

    private static async IAsyncEnumerable<Order> SnapshotAsync(RunContext run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        var request = new WatchOrdersRequest { SnapshotFirst = true, Filter = new WatchFilter { ChannelIds = { run.Workload.ChannelId } } };
        using var call = run.First.Tracking.WatchOrders(request, cancellationToken: token);
        await foreach (var message in call.ResponseStream.ReadAllAsync(token))
        {
            if (message.ContentCase != WatchOrdersResponse.ContentOneofCase.Snapshot) continue;
            foreach (var order in message.Snapshot.Orders) yield return order;
            if (message.Snapshot.Last) yield break;
        }
        throw new InvalidOperationException("the stream ended before the snapshot's last page");
    }

    private static async IAsyncEnumerable<Order> LookupsAsync(RunContext run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        for (long first = 0; first < run.Workload.Made; first += LookupsAtOnce)
        {
            var last = Math.Min(first + LookupsAtOnce, run.Workload.Made);
            var calls = new List<Task<Order?>>();
            for (var index = first; index < last; index++)
            {
                if (run.Ledger.IsAcknowledged(index)) calls.Add(LookupAsync(run, index, token));
            }
            foreach (var order in await Task.WhenAll(calls))
            {
                if (order is not null) yield return order;
            }
        }
    }

    private static async Task<Order?> LookupAsync(RunContext run, long index, CancellationToken token)
    {
        var request = new LookupOrderRequest { ChannelId = run.Workload.ChannelId, ExternalOrderId = run.Workload.ExternalId(index) };
        try
        {
            return await run.Connection(index).Orders.LookupOrderAsync(request, cancellationToken: token);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return null; // Missing: the comparison says so.
        }
    }

    private static async Task<IReadOnlyList<string>> ViolationsAsync(RunContext run, CancellationToken token)
    {
        try
        {
            return [.. (await run.First.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest(), cancellationToken: token)).Violations];
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Unimplemented)
        {
            return []; // A server without this rpc can still be checked order by order.
        }
    }
}
