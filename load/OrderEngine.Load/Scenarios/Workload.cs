// The orders of a run. Order number n of a run is always the same, so that a retry repeats it and the ledger check knows what to expect.

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;

namespace OrderEngine.Load.Scenarios;

/// <summary>
/// Makes orders: 3 lines, 1 to 3 units each, on SKUs 0 to n-1; hot: half of the lines on the first 10. With backorders, the last line of so many orders, and
/// of one in twenty after them, is of a SKU that there is nothing of, and waits. Any thread.
/// </summary>
public sealed class Workload
{
    public const int DefaultSkus = 10_000;
    public const int HotSkus = 10;
    public const int LinesPerOrder = 3;
    public const string LocationId = "load-main";

    private const string CustomerPrefix = "load-customer-";
    private const int MaxDigits = 20;
    private const int MaxQuantity = 3;
    private const int JoinsQueueEvery = 20;
    private const string WaitedForSku = "LOAD-WAITED-FOR";

    private static readonly byte[] s_customerPrefix = Encoding.UTF8.GetBytes(CustomerPrefix);

    private readonly string[] _skus;
    private readonly string _prefix;
    private readonly byte[] _prefixBytes;
    private readonly byte[][] _skuBytes;
    private readonly byte[] _channelBytes;
    private readonly bool _hot;
    private readonly int _backorders;
    private long _made;

    /// <summary>A run's orders. The run id makes its external ids and request ids unique; with customers, order n is of customer n modulo that.</summary>
    public Workload(string runId, bool hot = false, int skus = DefaultSkus, int customers = 0, int backorders = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(skus, HotSkus);
        RunId = runId;
        ChannelId = "load-" + runId;
        Customers = customers;
        _prefix = runId + "-";
        _hot = hot;
        _backorders = backorders;
        _skus = [.. Enumerable.Range(0, skus).Select(SkuId)];
        Catalog = backorders > 0 ? [.. _skus, WaitedForSku] : _skus;
        _skuBytes = [.. Catalog.Select(Encoding.UTF8.GetBytes)];
        _channelBytes = Encoding.UTF8.GetBytes(ChannelId);
        _prefixBytes = Encoding.UTF8.GetBytes(_prefix);
    }

    public string RunId { get; }

    /// <summary>A channel of the run's own, so that its orders can be told from all others.</summary>
    public string ChannelId { get; }

    /// <summary>Customers that the orders are of; 0: guests.</summary>
    public int Customers { get; }

    /// <summary>Those that there is stock of.</summary>
    public IReadOnlyList<string> Skus => _skus;

    /// <summary>All that the orders are of.</summary>
    public IReadOnlyList<string> Catalog { get; }

    /// <summary>Orders made so far: indexes 0 to here, exclusive.</summary>
    public long Made => Interlocked.Read(ref _made);

    public static string SkuId(int number) => string.Create(CultureInfo.InvariantCulture, $"LOAD-{number:D5}");

    public static string CustomerId(long number) => string.Create(CultureInfo.InvariantCulture, $"{CustomerPrefix}{number}");

    /// <summary>An id for a run that no other run has.</summary>
    public static string NewRunId() =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow.Ticks / 10_000 % 0xFFFFFFFFFF:x}{Environment.ProcessId % 0xFFFF:x4}");

    /// <summary>The index of the next order.</summary>
    public long Next() => Interlocked.Increment(ref _made) - 1;

    /// <summary>The first index of the next so many orders.</summary>
    public long Next(int count) => Interlocked.Add(ref _made, count) - count;

    public string ExternalId(long index) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}{index}");

    /// <summary>The index of one of this run's orders.</summary>
    public bool TryIndex(string externalId, out long index)
    {
        index = 0;
        return externalId is not null && externalId.StartsWith(_prefix, StringComparison.Ordinal)
            && long.TryParse(externalId.AsSpan(_prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < Made;
    }

    /// <summary>The same for UTF-8.</summary>
    public bool TryIndex(ReadOnlySpan<byte> externalId, out long index)
    {
        index = 0;
        return externalId.StartsWith(_prefixBytes)
            && long.TryParse(externalId[_prefixBytes.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < Made;
    }

    /// <summary>Turns <paramref name="request"/>, new or used, into order <paramref name="index"/>. Allocates one string for both ids.</summary>
    public void Fill(SubmitOrderRequest request, long index)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.RequestId = ExternalId(index);
        request.Order ??= new OrderDraft();
        Fill(request.Order, index, request.RequestId);
    }

    /// <summary>The same for a draft alone.</summary>
    public void Fill(OrderDraft draft, long index, string externalId)
    {
        ArgumentNullException.ThrowIfNull(draft);
        draft.ChannelId = ChannelId;
        draft.ExternalOrderId = externalId;
        draft.CurrencyCode = "GBP";
        if (_backorders > 0) draft.AllocationPolicy = AllocationPolicy.PartialBackorder;
        if (Customers > 0) draft.CustomerId = CustomerId(index % Customers);
        while (draft.Lines.Count < LinesPerOrder) draft.Lines.Add(new OrderLineDraft());
        for (var i = 0; i < LinesPerOrder; i++)
        {
            var (sku, quantity) = Line(index, i);
            var line = draft.Lines[i];
            line.SkuId = Catalog[sku];
            line.Quantity = quantity;
            line.UnitPriceMinor = UnitPriceMinor(sku);
        }
    }

    /// <summary>Writes order <paramref name="index"/> as <see cref="Fill(SubmitOrderRequest, long)"/> and the generated class would, byte by byte. Allocates nothing.</summary>
    public void Write(EventBuffer request, long index)
    {
        ArgumentNullException.ThrowIfNull(request);
        Span<byte> room = stackalloc byte[_prefixBytes.Length + MaxDigits];
        var externalId = Numbered(room, _prefixBytes, index);
        request.Bytes(SubmitOrderRequest.RequestIdFieldNumber, externalId);
        var order = request.BeginNested(SubmitOrderRequest.OrderFieldNumber);
        request.Bytes(OrderDraft.ChannelIdFieldNumber, _channelBytes);
        request.Bytes(OrderDraft.ExternalOrderIdFieldNumber, externalId);
        if (Customers > 0) request.Bytes(OrderDraft.CustomerIdFieldNumber, Numbered(stackalloc byte[s_customerPrefix.Length + MaxDigits], s_customerPrefix, index % Customers));
        if (_backorders > 0) request.Number(OrderDraft.AllocationPolicyFieldNumber, (long)AllocationPolicy.PartialBackorder);
        request.Bytes(OrderDraft.CurrencyCodeFieldNumber, "GBP"u8);
        for (var i = 0; i < LinesPerOrder; i++)
        {
            var (sku, quantity) = Line(index, i);
            var line = request.BeginNested(OrderDraft.LinesFieldNumber);
            request.Bytes(OrderLineDraft.SkuIdFieldNumber, _skuBytes[sku]);
            request.Number(OrderLineDraft.QuantityFieldNumber, quantity);
            request.Number(OrderLineDraft.UnitPriceMinorFieldNumber, UnitPriceMinor(sku));
            request.EndNested(line);
        }
        request.EndNested(order);
    }

    private static ReadOnlySpan<byte> Numbered(Span<byte> room, ReadOnlySpan<byte> prefix, long number)
    {
        prefix.CopyTo(room);
        Utf8Formatter.TryFormat(number, room[prefix.Length..], out var digits);
        return room[..(prefix.Length + digits)];
    }

    private static int UnitPriceMinor(int sku) => 100 + sku;

    /// <summary>The SKU's place in <see cref="Catalog"/>, and units, of a line.</summary>
    public (int Sku, int Quantity) Line(long index, int line)
    {
        var draw = Mix((ulong)(index * LinesPerOrder + line) + 0x51ED270B9UL);
        var quantity = 1 + (int)(draw % MaxQuantity);
        draw >>= 8;
        if (_backorders > 0 && line == LinesPerOrder - 1 && (index < _backorders || index % JoinsQueueEvery == 0)) return (_skus.Length, quantity);
        if (_hot && (draw & 1) == 0) return ((int)((draw >> 1) % HotSkus), quantity);
        return ((int)((draw >> 1) % (ulong)_skus.Length), quantity);
    }

    /// <summary>Well-mixed bits of a number (the finalizer of splitmix64).</summary>
    public static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
