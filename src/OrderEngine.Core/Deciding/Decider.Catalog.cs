// Deciding the catalog: an entry is replaced whole; one that would not change writes nothing.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private readonly EventBuffer _body = new(1024);

    private Outcome Define(DefineSku sku)
    {
        var number = NumberOf(state.Catalog.SkuIds, sku.Id);
        StartBody(number, sku.Id);
        _body.Bytes(3, sku.Name);
        _body.Bytes(4, sku.Model);
        _body.Bytes(5, sku.Specification);
        _body.Bytes(6, sku.Category);
        _body.Bytes(7, sku.Unit);
        _body.Number(8, sku.Price);
        Span<byte> currency = stackalloc byte[3];
        _body.Bytes(9, currency[..Currency.Unpack(sku.CurrencyCode, currency)]);
        _body.Number(10, sku.LeadTimeSeconds);
        _body.Packed(11, sku.Substitutes);
        _body.Number(220, (long)sku.Replenishment);
        return Put(EventKind.SkuDefined, state.Catalog.Skus, number, Limits.Skus);
    }

    private Outcome Define(DefineLocation location)
    {
        var number = NumberOf(state.Catalog.LocationIds, location.Id);
        StartBody(number, location.Id);
        _body.Bytes(3, location.Name);
        _body.Bytes(4, location.Region);
        _body.Number(5, location.Priority);
        return Put(EventKind.LocationDefined, state.Catalog.Locations, number, Limits.Locations);
    }

    private Outcome Define(DefineChannel channel)
    {
        var number = NumberOf(state.Catalog.ChannelIds, channel.Id);
        Span<byte> currency = stackalloc byte[3];
        StartBody(number, channel.Id);
        _body.Bytes(3, channel.Name);
        _body.Packed(4, channel.AllowedLocations);
        _body.Number(5, (long)channel.Sourcing);
        _body.Number(6, (long)channel.DefaultPolicy);
        _body.Number(7, (long)channel.DefaultTerms);
        var limits = channel.Limits;
        _body.Number(40, limits.MaxOrder);
        _body.Bytes(41, currency[..Currency.Unpack(limits.MaxOrderCurrency, currency)]);
        _body.Number(42, limits.MaxLines);
        _body.Number(43, limits.PaymentDueSeconds);
        _body.Number(44, limits.ReviewExpirySeconds);
        _body.Number(45, limits.RequiresConfirmation ? 1 : 0);
        _body.Number(46, limits.ReturnWindowSeconds);
        _body.Number(47, limits.MaxReservationSeconds);
        _body.Number(220, (long)channel.DefaultShipping);
        _body.Number(240, limits.ConfirmationDueSeconds);
        return Put(EventKind.ChannelDefined, state.Catalog.Channels, number, Limits.Channels);
    }

    private Outcome Define(DefineCustomer customer)
    {
        var number = NumberOf(state.Catalog.CustomerIds, customer.Id);
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != state.Catalog.Customers.LatestSequence(number)) return Outcome.EtagMismatch;
        if (MayTake(number, customer.Details) is not Outcome.Ok and var refusal) return refusal;
        StartBody(number, customer.Id);
        _body.Number(3, customer.Tier);
        if (customer.Details.Key != 0)
        {
            var nested = _body.BeginNested(4);
            _body.Number(1, customer.Details.Key);
            _body.Bytes(2, customer.Details.Ciphertext);
            _body.EndNested(nested);
        }
        else
        {
            KeepDetails(state.Catalog.Customers.Latest(number));
        }
        Span<byte> currency = stackalloc byte[3];
        _body.Number(40, customer.CreditLimit);
        _body.Bytes(41, currency[..Currency.Unpack(customer.CreditCurrency, currency)]);
        _body.Number(42, (long)customer.Terms);
        _body.Number(43, customer.RiskRating);
        return Put(EventKind.CustomerDefined, state.Catalog.Customers, number, Limits.Customers);
    }

    private void KeepDetails(ReadOnlySpan<byte> present)
    {
        var reader = new ProtoReader(present);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 4) _body.Bytes(4, reader.Bytes());
            else reader.Skip(wireType);
        }
    }

    private static int NumberOf(SymbolTable ids, ReadOnlySpan<byte> id)
    {
        var number = ids.Find(id);
        return number != 0 ? number : ids.Count + 1;
    }

    private void StartBody(int number, ReadOnlySpan<byte> id)
    {
        _body.Truncate(0);
        _body.Number(1, number);
        _body.Bytes(2, id);
    }

    private Outcome Put(EventKind kind, VersionedRows rows, int number, int limit)
    {
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != rows.LatestSequence(number)) return Outcome.EtagMismatch;
        if (number > limit) return Outcome.CatalogLimitReached;
        var present = rows.Latest(number);
        if (present.SequenceEqual(_body.Written)) return Outcome.Ok;
        BeginEvent();
        Origin();
        _events.BeginBody(kind);
        _events.Raw(_body.Written);
        EndAnswer();
        return Outcome.Ok;
    }
}
