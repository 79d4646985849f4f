// The model's counters: every one counted anew from the orders it holds, but for what no order keeps (categories and regions change their names), which
// is noted as it happens. Written from admin.proto, "GetStats". One thread.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private readonly Dictionary<int, string> _categories = [], _regions = [];
    // What the category of each line's SKU was worth when the line's value changed.
    private readonly Dictionary<long, List<(long Ordered, long Cancelled)>> _linesCounted = [];

    public readonly Dictionary<(string Name, int Currency), (long Orders, long Ordered, long Cancelled)> ByCategory = [], ByRegion = [];

    /// <summary>Orders, what was ordered and what was cancelled of it, by what is asked for.</summary>
    public Dictionary<TKey, (long Orders, long Ordered, long Cancelled)> Count<TKey>(Func<ModelOrder, TKey> by) where TKey : notnull =>
        Orders.GroupBy(by).ToDictionary(g => g.Key, g => ((long)g.Count(), g.Sum(o => o.Lines.Sum(l => l.Ordered * l.Price)), g.Sum(o => o.Lines.Sum(l => l.Cancelled * l.Price))));

    /// <summary>How a channel's (0: all) orders were served.</summary>
    public (List<long> Release, List<long> Ship, List<long> Delivery, long Dated, long Late, long AsOrdered, long Returned) Served(int channel)
    {
        var orders = Orders.Where(o => channel == 0 || o.Submitted.Channel == channel).ToList();
        var delivered = orders.Where(o => o.DeliveredAt is not null).ToList();
        var dated = delivered.Where(o => o.RequestedAt > o.AcceptedAt || o.HadDeliveryDate || o.MissedDelivery).ToList();
        return (Times(orders, o => o.ReleasedAt), Times(orders, o => o.ShippedAt), Times(orders, o => o.DeliveredAt), dated.Count, dated.Count(o => o.RequestedAt > o.AcceptedAt ? o.DeliveredAt > o.RequestedAt : o.MissedDelivery),
            delivered.Count(IsAsOrdered), orders.Count(o => o.Lines.Any(l => l.Returned > 0)));
    }

    private static List<long> Times(List<ModelOrder> orders, Func<ModelOrder, long?> end) => [.. orders.Where(o => end(o) is not null).Select(o => end(o)!.Value - o.AcceptedAt)];

    private bool IsAsOrdered(ModelOrder order) =>
        !order.FellShort && order.Lines.TrueForAll(l => l.Lost == 0) && order.Lines.Sum(l => l.Cancelled) == order.CancelledByCustomer
        && !Returns.Any(r => r.Order == order.Number && r.Received.Any(u => u.Disposition != Disposition.Restock));

    // At the end of a step: what became of the orders that it touched.
    private void NoteService(ModelOrder order)
    {
        if (order.State == OrderState.Delivered) order.DeliveredAt ??= _now;
    }

    private string CategoryOf(ModelLine line) => _categories.GetValueOrDefault(line.Sku, "");

    /// <summary>Lines became worth more or less: counted under the category that their SKU has now.</summary>
    private void NoteLines(ModelOrder order)
    {
        var isNew = !_linesCounted.TryGetValue(order.Number, out var before);
        before ??= [];
        var known = order.Lines.Take(before.Count).Select(CategoryOf).ToHashSet();
        for (var i = 0; i < order.Lines.Count; i++)
        {
            var line = order.Lines[i];
            var (ordered, cancelled) = i < before.Count ? before[i] : default;
            var orders = (isNew || i >= before.Count) && known.Add(CategoryOf(line)) ? 1 : 0;
            AddTo(ByCategory, (CategoryOf(line), order.Submitted.CurrencyCode), orders, line.Ordered * line.Price - ordered, line.Cancelled * line.Price - cancelled);
        }
        _linesCounted[order.Number] = [.. order.Lines.Select(l => (l.Ordered * l.Price, l.Cancelled * l.Price))];
    }

    // A parcel left: what it is worth, under the region that its location has now; the order counts with the first parcel from there.
    private void NoteParcel(ModelOrder order, List<LineMovement> moves)
    {
        var region = _regions.GetValueOrDefault(moves[0].Location, "");
        var before = order.ParcelPlaces.Any(place => _regions.GetValueOrDefault(place, "") == region);
        AddTo(ByRegion, (region, order.Submitted.CurrencyCode), before ? 0 : 1, moves.Sum(m => m.Quantity * order.Lines[m.Line - 1].Price), 0);
        order.ParcelPlaces.Add(moves[0].Location);
        order.ShippedAt ??= _now;
    }

    private static void AddTo(Dictionary<(string, int), (long Orders, long Ordered, long Cancelled)> sums, (string, int) key, long orders, long ordered, long cancelled)
    {
        var (o, v, c) = sums.GetValueOrDefault(key);
        if (orders != 0 || ordered != 0 || cancelled != 0) sums[key] = (o + orders, v + ordered, c + cancelled);
    }

    /// <summary>Seconds up to which each bucket of admin.proto's histogram reaches, but for the last.</summary>
    public static readonly double[] Minutes = [1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 5760, 7200, 10_080, 14_400, 20_160, 30_240, 43_200, 86_400];

    public static List<long> Histogram(List<long> times)
    {
        var counts = new long[Minutes.Length + 1];
        foreach (var time in times) counts[Minutes.Count(m => time > m * 60_000_000)]++;
        return [.. counts];
    }
}
