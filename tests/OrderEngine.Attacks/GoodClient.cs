// A client as it should be, beside the attacker: submits an order every few milliseconds, whether the one before is answered or not, and
// measures each from when it was due. One object a run.

using System.Diagnostics;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Attacks;

/// <summary>What a good client saw.</summary>
internal sealed record Service(int Calls, IReadOnlyList<string> Failures, double Seconds, TimeSpan P50, TimeSpan P99, TimeSpan Worst)
{
    public double PerSecond => (Calls - Failures.Count) / Seconds;
}

internal sealed class GoodClient(OrderEngineClient client)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static int _last;

    /// <summary>Calls that may be under way: a server that hangs does not make the client grow without end.</summary>
    private const int MostUnderWay = 2_000;

    /// <summary>Submits orders at this rate until the token is cancelled, and waits for the last answer.</summary>
    public async Task<Service> RunAsync(int perSecond, CancellationToken until)
    {
        var clock = Stopwatch.StartNew();
        var calls = new List<Task<TimeSpan>>();
        var failures = new List<string>();
        var underWay = 0;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!until.IsCancellationRequested)
        {
            while (calls.Count < clock.Elapsed.TotalSeconds * perSecond && Volatile.Read(ref underWay) < MostUnderWay)
                calls.Add(SubmitAsync(TimeSpan.FromSeconds((double)calls.Count / perSecond)));
            await tick.WaitForNextTickAsync(CancellationToken.None);
        }
        var seconds = clock.Elapsed.TotalSeconds;
        var times = await Task.WhenAll(calls);
        Array.Sort(times);
        return new Service(times.Length, failures, seconds, times[times.Length / 2], times[times.Length * 99 / 100], times[^1]);

        async Task<TimeSpan> SubmitAsync(TimeSpan due)
        {
            Interlocked.Increment(ref underWay);
            var number = Interlocked.Increment(ref _last);
            try
            {
                await client.Orders.SubmitOrderAsync(new SubmitOrderRequest
                {
                    RequestId = $"good-{number}",
                    Order = new OrderDraft
                    {
                        ChannelId = "WEB", ExternalOrderId = $"good-{number}", CurrencyCode = "GBP",
                        Lines = { new OrderLineDraft { SkuId = "A", Quantity = 1, UnitPriceMinor = 100 } },
                    },
                }, deadline: DateTime.UtcNow + Deadline, cancellationToken: CancellationToken.None);
            }
            catch (Exception failure) when (failure is RpcException or OrderEngineException)
            {
                lock (failures) failures.Add(failure.Message);
            }
            finally
            {
                Interlocked.Decrement(ref underWay);
            }
            return clock.Elapsed - due;
        }
    }
}
