// What one call came to. A value: nothing is allocated for a success.

namespace OrderEngine.Load.Model;

/// <summary>The outcome of one run of a scenario or of one step.</summary>
/// <param name="Items">Orders, reports or reads that were answered with success.</param>
/// <param name="Refused">Items that the server turned away for load, and told so.</param>
/// <param name="Failed">Items that failed in any other way.</param>
/// <param name="Status">Why the refused or failed ones were, as one of a few words; empty when all went well.</param>
public readonly record struct Response(int Items, int Refused, int Failed, string Status)
{
    /// <summary>All items were answered with success.</summary>
    public static Response Ok(int items = 1) => new(items, 0, 0, "");

    /// <summary>The server turned the items away for load.</summary>
    public static Response Refuse(string status, int items = 1) => new(0, items, 0, status);

    /// <summary>The items failed.</summary>
    public static Response Fail(string status, int items = 1) => new(0, 0, items, status);

    /// <summary>Both together.</summary>
    public Response And(in Response other) =>
        new(Items + other.Items, Refused + other.Refused, Failed + other.Failed, Status.Length > 0 ? Status : other.Status);
}
