// The model's erasures: whose personal data may be taken, and under which keys it is. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private readonly HashSet<long> _erasedKeys = [];

    /// <summary>A customer's key, from the first data that was taken.</summary>
    public readonly Dictionary<int, long> CustomerKeys = [];

    /// <summary>When customers were erased.</summary>
    public readonly Dictionary<int, long> ErasedCustomers = [];

    /// <summary>Keys destroyed, in order; 0 for a customer who had none.</summary>
    public readonly List<long> DestroyedKeys = [];

    // errors.proto: PERSON_ERASED, PERSONAL_KEY_RACED.
    private Outcome MayTake(int customer, SealedData data, ModelOrder? order = null)
    {
        if (data.Key == 0) return Outcome.Ok;
        if (order is { Erased: true } || ErasedCustomers.ContainsKey(customer) || _erasedKeys.Contains(data.Key)) return Outcome.PersonErased;
        return CustomerKeys.TryGetValue(customer, out var own) && own != data.Key ? Outcome.PersonalKeyRaced : Outcome.Ok;
    }

    private void Took(int customer, SealedData data, ModelOrder? order = null)
    {
        if (data.Key == 0) return;
        order?.Keys.Add(data.Key);
        if (customer != 0) CustomerKeys.TryAdd(customer, data.Key);
    }

    private Outcome Erase(EraseCustomer erase)
    {
        if (ErasedCustomers.ContainsKey(erase.Customer)) return Outcome.Ok;
        Event();
        ErasedCustomers[erase.Customer] = _now;
        Destroy(CustomerKeys.GetValueOrDefault(erase.Customer));
        return Outcome.Ok;
    }

    private Outcome Erase(EraseOrder erase)
    {
        var refusal = Find(erase.Order, erase.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Submitted.Customer != 0) return Outcome.NotAGuestOrder;
        if (order.Erased) return Outcome.Ok;
        Change(order);
        order.Erased = true;
        foreach (var key in order.Keys.Where(key => !_erasedKeys.Contains(key)).ToList()) Destroy(key);
        return Outcome.Ok;
    }

    private void Destroy(long key)
    {
        DestroyedKeys.Add(key);
        if (key != 0) _erasedKeys.Add(key);
    }
}
