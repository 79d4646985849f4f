// Deciding erasures, and whether personal data may be taken.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private readonly List<long> _keys = [];

    // Who is erased stays erased: asked again, nothing happens.
    private Outcome Erase(EraseCustomer erase)
    {
        if (state.Erasures.Of(erase.Customer) != 0) return Outcome.Ok;
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.CustomerErased);
        _events.Number(1, erase.Customer);
        _events.Number(2, state.Catalog.CustomerKey(erase.Customer));
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Erase(EraseOrder erase)
    {
        var refusal = FindOrder(erase.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Head.Customer != 0) return Outcome.NotAGuestOrder;
        if ((order.Head.Details & OrderDetails.Erased) != 0) return Outcome.Ok;
        GatherKeys(erase.Order);
        BeginOrderEvent(erase.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.OrderErased);
        foreach (var key in _keys) _events.Number(1, key);
        EndAnswer();
        return Outcome.Ok;
    }

    // Mostly one; a delivery that came later than a note may have another.
    private void GatherKeys(long order)
    {
        _keys.Clear();
        for (long cursor = 0; state.History.Previous(order, long.MaxValue, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (!PersonalFields.MayHold(e.Kind)) continue;
            var body = new ProtoReader(e.Body);
            while (body.Next(out var field, out var wireType))
            {
                if (!PersonalFields.IsSealed(e.Kind, field))
                {
                    body.Skip(wireType);
                    continue;
                }
                var key = SealedData.Read(body.Bytes()).Key;
                if (key != 0 && !_keys.Contains(key) && !state.Erasures.Holds(key)) _keys.Add(key);
            }
        }
    }

    /// <summary>
    /// Whether personal data may be taken: not of a person who was erased, and of a customer under the one key that the customer has, which is what
    /// makes erasing whole.
    /// </summary>
    /// <param name="customer">The customer; 0: a guest.</param>
    /// <param name="data">The data; none is always fine.</param>
    /// <param name="subject">What a refusal is about.</param>
    /// <param name="details">Of the order that it belongs to.</param>
    private Outcome MayTake(int customer, in SealedData data, long subject = 0, OrderDetails details = OrderDetails.None)
    {
        if (data.Key == 0) return Outcome.Ok;
        // For good, so it is recorded.
        if ((details & OrderDetails.Erased) != 0 || data.Ciphertext.Length == 0 || customer != 0 && state.Erasures.Of(customer) != 0 || state.Erasures.Holds(data.Key))
            return Refuse(Outcome.PersonErased, subject);
        var own = customer == 0 ? 0 : state.Catalog.CustomerKey(customer);
        return own == 0 || own == data.Key ? Outcome.Ok : Outcome.PersonalKeyRaced;
    }
}
