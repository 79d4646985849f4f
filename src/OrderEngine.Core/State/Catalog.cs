// SKUs, locations, channels and customers: their ids, their rows, and what deciding needs of them at hand.
// The writer changes; ids and rows are read from any thread, the rules at hand by the writer only.

using System.Runtime.CompilerServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>What deciding needs of a channel. Made anew when the channel is defined, never changed.</summary>
/// <param name="Allowed">By location number; null: all.</param>
/// <param name="Sourcing">How a location is chosen.</param>
/// <param name="Policy">The default.</param>
/// <param name="Terms">The default.</param>
/// <param name="Shipping">The default.</param>
/// <param name="Limits">Bounds and times of its own.</param>
internal sealed record ChannelRules(bool[]? Allowed, SourcingRule Sourcing, AllocationPolicy Policy, PaymentTerms Terms, ShippingPolicy Shipping, ChannelLimits Limits)
{
    /// <summary>True when its orders have to be measured.</summary>
    public bool HasBounds { get; } = Limits.MaxOrder != 0 || Limits.MaxLines != 0;

    /// <summary>True when the location may serve the channel.</summary>
    public bool Allows(int location) => Allowed is null || location < Allowed.Length && Allowed[location];
}

/// <summary>What deciding needs of a customer.</summary>
/// <param name="Tier">Rank.</param>
/// <param name="Terms">Used where an order names none; none: the channel's.</param>
/// <param name="RiskRating">0: not rated.</param>
internal readonly record struct CustomerFacts(byte Tier, PaymentTerms Terms, byte RiskRating);

/// <summary>What a customer may owe.</summary>
/// <param name="Amount">Minor units.</param>
/// <param name="Currency">Packed; 0: no limit is set.</param>
internal readonly record struct CreditLimit(long Amount, int Currency);

/// <summary>The catalog. A row is the body of the event that defined the entry last.</summary>
internal sealed class Catalog(RowHeap heap, Reclaimer reclaimer, KeyedHash hash)
{
    private ChannelRules?[] _channels = new ChannelRules?[16];
    private int[] _locationPriority = new int[16];
    private int[] _locationRegion = new int[16];
    // Regions that locations ever had.
    private readonly SymbolTable _regions = new(heap, hash);
    private ReviewRule[] _reviewRules = [];
    private readonly ChunkedArray<CustomerFacts> _customers = new();
    // Only as far as customers with a limit go.
    private readonly ChunkedArray<CreditLimit> _creditLimits = new();
    private readonly ChunkedArray<KeyBinding> _customerKeys = new();

    // Bound once: Since is written before Key tells of it.
    private struct KeyBinding
    {
        public long Key;
        public long Since;
    }

    public SymbolTable SkuIds { get; } = new(heap, hash);
    public SymbolTable LocationIds { get; } = new(heap, hash);
    public SymbolTable ChannelIds { get; } = new(heap, hash);
    public SymbolTable CustomerIds { get; } = new(heap, hash);
    public VersionedRows Skus { get; } = new(heap, reclaimer, tableId: 1);
    public VersionedRows Locations { get; } = new(heap, reclaimer, tableId: 2);
    public VersionedRows Channels { get; } = new(heap, reclaimer, tableId: 3);
    public VersionedRows Customers { get; } = new(heap, reclaimer, tableId: 4);
    /// <summary>One row, number 1, once rules have been set.</summary>
    public VersionedRows ReviewRuleRows { get; } = new(heap, reclaimer, tableId: 16);
    public VersionedRows DeadlineRuleRows { get; } = new(heap, reclaimer, tableId: 32);

    /// <summary>The highest key number that sealed data refers to.</summary>
    public long HighestKey { get; private set; }

    /// <summary>The rules of a channel that exists.</summary>
    public ChannelRules Rules(int channel) => _channels[channel]!;

    /// <summary>A location's priority number.</summary>
    public int Priority(int location) => _locationPriority[location];

    /// <summary>The number of a region to which an order goes: 0 where it names none, -1 when no location ever had it.</summary>
    public int FindRegion(ReadOnlySpan<byte> region) => region.IsEmpty ? 0 : _regions.Find(region) is > 0 and var number ? number : -1;

    /// <summary>True when a location serves a region: its own, all when it has none of its own; and orders that name none.</summary>
    public bool Serves(int location, int region) => region == 0 || _locationRegion[location] is var own && (own == 0 || own == region);

    /// <summary>A customer's tier; 0 for a guest.</summary>
    public int Tier(int customer) => Customer(customer).Tier;

    /// <summary>What deciding needs of a customer; all zero for a guest.</summary>
    public CustomerFacts Customer(int customer) => customer == 0 ? default : _customers[customer];

    /// <summary>What a customer may owe; no currency: no limit is set.</summary>
    public CreditLimit Credit(int customer) => _creditLimits.TryRead(customer, out var limit) ? limit : default;

    /// <summary>The review rules in force, in their order. Any thread; what is there is never changed.</summary>
    public ReviewRule[] ReviewRules => Volatile.Read(ref _reviewRules);

    /// <summary>When orders are due. Writer only.</summary>
    public DeadlineRules DeadlineRules { get; private set; } = DeadlineRules.None;

    /// <summary>How a SKU that no other location has is got: bought, or made. Reads its row. Writer only.</summary>
    public SupplyKind Replenishment(int sku)
    {
        var reader = new ProtoReader(Skus.Latest(sku));
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 220) return (SupplyKind)reader.Varint();
            reader.Skip(wireType);
        }
        return SupplyKind.Purchase;
    }

    /// <summary>The key under which a customer's data is sealed; 0 when there is none yet. Any thread.</summary>
    public long CustomerKey(int customer) => CustomerKey(customer, long.MaxValue, out _);

    /// <summary>As <see cref="CustomerKey(int)"/>, as of a sequence, and the sequence that bound it. Any thread.</summary>
    public long CustomerKey(int customer, long at, out long since)
    {
        since = 0;
        ref var binding = ref _customerKeys.Peek(customer);
        if (Unsafe.IsNullRef(in binding)) return 0;
        var key = Volatile.Read(ref binding.Key);
        if (key == 0 || binding.Since > at) return 0;
        since = binding.Since;
        return key;
    }

    /// <summary>Puts back what a snapshot says of keys: the highest of all, and (customer not 0) a customer's own, before its definition.</summary>
    public void RestoreKeys(long highest, int customer = 0, long key = 0, long since = 0)
    {
        HighestKey = Math.Max(HighestKey, highest);
        if (customer == 0) return;
        _customerKeys[customer].Since = since;
        Volatile.Write(ref _customerKeys[customer].Key, key);
    }

    /// <summary>Takes up a SkuDefined body; <paramref name="restore"/>: from a snapshot, outside of any batch.</summary>
    public void DefineSku(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        ReadDefinition(body, out var number, out var id);
        Put(SkuIds, Skus, number, id, body, sequence, restore);
    }

    /// <summary>Takes up a LocationDefined body.</summary>
    /// <returns>True when it serves another region than before.</returns>
    public bool DefineLocation(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        ReadDefinition(body, out var number, out var id);
        Put(LocationIds, Locations, number, id, body, sequence, restore);
        if (number >= _locationPriority.Length)
        {
            var length = Math.Max(number + 1, _locationPriority.Length * 2);
            Array.Resize(ref _locationPriority, length);
            Array.Resize(ref _locationRegion, length);
        }
        var priority = 0;
        ReadOnlySpan<byte> region = default;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 4) region = reader.Bytes();
            else if (field == 5) priority = reader.Int();
            else reader.Skip(wireType);
        }
        _locationPriority[number] = priority;
        var before = _locationRegion[number];
        _locationRegion[number] = region.IsEmpty ? 0 : _regions.Find(region) is > 0 and var known ? known : _regions.Add(region);
        return before != _locationRegion[number];
    }

    /// <summary>Takes up a ChannelDefined body.</summary>
    /// <returns>True when orders of the channel may be served from other locations than before.</returns>
    public bool DefineChannel(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        ReadDefinition(body, out var number, out var id);
        Put(ChannelIds, Channels, number, id, body, sequence, restore);
        if (number >= _channels.Length) Array.Resize(ref _channels, Math.Max(number + 1, _channels.Length * 2));
        var before = _channels[number];
        var rules = _channels[number] = ReadRules(body);
        return before is not null && !rules.Allowed.AsSpan().SequenceEqual(before.Allowed);
    }

    /// <summary>Takes up a CustomerDefined body.</summary>
    public void DefineCustomer(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        ReadDefinition(body, out var number, out var id);
        Put(CustomerIds, Customers, number, id, body, sequence, restore);
        byte tier = 0, rating = 0;
        var terms = PaymentTerms.None;
        var credit = new CreditLimit();
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 40: credit = credit with { Amount = reader.Long() }; break;
                case 41: credit = credit with { Currency = Currency.Pack(reader.Bytes()) }; break;
                case 3: tier = (byte)reader.Int(); break;
                case 4: NoteKey(number, reader.Bytes(), sequence); break;
                case 42: terms = (PaymentTerms)reader.Varint(); break;
                case 43: rating = (byte)reader.Int(); break;
                default: reader.Skip(wireType); break;
            }
        }
        _customers[number] = new CustomerFacts(tier, terms, rating);
        if (credit.Currency != 0 || Credit(number).Currency != 0) _creditLimits[number] = credit;
    }

    /// <summary>Takes up a ReviewRulesDefined body.</summary>
    public void DefineReviewRules(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        Put(ReviewRuleRows, 1, body, sequence, restore);
        Volatile.Write(ref _reviewRules, State.ReviewRules.Read(body));
    }

    /// <summary>Takes up a DeadlinesDefined body.</summary>
    public void DefineDeadlines(ReadOnlySpan<byte> body, long sequence, bool restore = false)
    {
        Put(DeadlineRuleRows, 1, body, sequence, restore);
        DeadlineRules = new DeadlineRules(body);
    }

    /// <summary>Remembers the key of sealed data (an encoded orderengine.journal.Sealed): the first of a customer stays the customer's.</summary>
    public void NoteKey(int customer, ReadOnlySpan<byte> sealedData, long sequence)
    {
        var reader = new ProtoReader(sealedData);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != 1)
            {
                reader.Skip(wireType);
                continue;
            }
            var key = reader.Long();
            HighestKey = Math.Max(HighestKey, key);
            if (customer == 0 || _customerKeys[customer].Key != 0) continue;
            _customerKeys[customer].Since = sequence;
            Volatile.Write(ref _customerKeys[customer].Key, key);
        }
    }

    /// <summary>Number and id: fields 1 and 2 of every definition.</summary>
    private static void ReadDefinition(ReadOnlySpan<byte> body, out int number, out ReadOnlySpan<byte> id)
    {
        number = 0;
        id = default;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) number = reader.Int();
            else if (field == 2) id = reader.Bytes();
            else reader.Skip(wireType);
        }
    }

    private static ChannelRules ReadRules(ReadOnlySpan<byte> body)
    {
        bool[]? allowed = null;
        var sourcing = SourcingRule.None;
        var policy = AllocationPolicy.None;
        var terms = PaymentTerms.None;
        var shipping = ShippingPolicy.Partial;
        var limits = new ChannelLimits();
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 4:
                    allowed = new bool[Limits.Locations + 1];
                    var list = new ProtoReader(reader.Bytes());
                    while (list.TryVarint(out var location)) allowed[(int)location] = true;
                    break;
                case 5: sourcing = (SourcingRule)reader.Varint(); break;
                case 6: policy = (AllocationPolicy)reader.Varint(); break;
                case 7: terms = (PaymentTerms)reader.Varint(); break;
                case 220: shipping = (ShippingPolicy)reader.Varint(); break;
                case 40: limits = limits with { MaxOrder = reader.Long() }; break;
                case 41: limits = limits with { MaxOrderCurrency = Currency.Pack(reader.Bytes()) }; break;
                case 42: limits = limits with { MaxLines = reader.Int() }; break;
                case 43: limits = limits with { PaymentDueSeconds = reader.Long() }; break;
                case 44: limits = limits with { ReviewExpirySeconds = reader.Long() }; break;
                case 45: limits = limits with { RequiresConfirmation = reader.Varint() != 0 }; break;
                case 46: limits = limits with { ReturnWindowSeconds = reader.Long() }; break;
                case 47: limits = limits with { MaxReservationSeconds = reader.Long() }; break;
                case 240: limits = limits with { ConfirmationDueSeconds = reader.Long() }; break;
                default: reader.Skip(wireType); break;
            }
        }
        return new ChannelRules(allowed, sourcing == SourcingRule.None ? SourcingRule.Priority : sourcing,
            policy == AllocationPolicy.None ? AllocationPolicy.AllOrNothing : policy, terms == PaymentTerms.None ? PaymentTerms.Credit : terms,
            shipping, limits);
    }

    private static void Put(SymbolTable ids, VersionedRows rows, int number, ReadOnlySpan<byte> id, ReadOnlySpan<byte> body, long sequence, bool restore)
    {
        var known = ids.Find(id);
        if (known == 0) known = ids.Add(id);
        if (known != number) throw new ApplyException($"A definition numbers its entry {number}, but it is number {known}.");
        Put(rows, number, body, sequence, restore);
    }

    private static void Put(VersionedRows rows, int number, ReadOnlySpan<byte> body, long sequence, bool restore)
    {
        if (restore)
        {
            rows.Restore(number, sequence, body);
            return;
        }
        var row = rows.Latest(number).IsEmpty ? rows.Create(number, body.Length, sequence) : rows.Resize(number, body.Length, sequence);
        body.CopyTo(row);
    }
}
