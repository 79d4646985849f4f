// The scopes that a credential may carry, and their names. Which rpc wants which: OrderEngine.Server/Access/RpcTable. Any thread.

namespace OrderEngine.Access;

/// <summary>What a credential is good for. Stored by name, so the numbers may change.</summary>
[Flags]
public enum Scopes
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Submitting, checking, amending and cancelling orders, as a channel or for the buyer.</summary>
    Submit = 1,
    /// <summary>Holding stock without an order, and committing it into one.</summary>
    Reserve = 2,
    /// <summary>Reading and following orders, stock and the catalog.</summary>
    Track = 4,
    /// <summary>What warehouses and carriers do with orders.</summary>
    Fulfil = 8,
    /// <summary>Recording money.</summary>
    Finance = 16,
    /// <summary>Reviewing orders, holding them back, customer service.</summary>
    Review = 32,
    /// <summary>Receiving, counting and moving stock; SKUs and locations. Never bound to a channel.</summary>
    Stock = 64,
    /// <summary>Running the engine: catalog, status, exports, exceptions. Never bound to a channel.</summary>
    Admin = 128,
}

/// <summary>Reads and writes lists of scopes.</summary>
public static class ScopeNames
{
    /// <summary>Scopes that touch what all channels share: a credential that is bound to one channel cannot have them.</summary>
    public const Scopes Shared = Scopes.Stock | Scopes.Admin;

    /// <summary>All names, in lower case.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<Scopes>().Where(scope => scope != Scopes.None).Select(Name)];

    /// <summary>One scope's name.</summary>
    public static string Name(Scopes scope) => scope.ToString().ToLowerInvariant();

    /// <summary>Every scope of the set, by name, in a fixed order.</summary>
    public static IReadOnlyList<string> Split(Scopes scopes) =>
        [.. Enum.GetValues<Scopes>().Where(scope => scope != Scopes.None && scopes.HasFlag(scope)).Select(Name)];

    /// <summary>Reads one name; false when it is none.</summary>
    public static bool TryParse(string name, out Scopes scope)
    {
        var index = All.TakeWhile(known => known != name).Count();
        scope = index < All.Count ? (Scopes)(1 << index) : Scopes.None;
        return index < All.Count;
    }
}
