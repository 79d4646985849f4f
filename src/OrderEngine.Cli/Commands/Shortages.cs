// Owns how a shortage is told: when what is short comes, and what could be had instead. Any thread.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class Shortages
{
    /// <summary>One line a SKU.</summary>
    public static void Say(Action<string> say, IEnumerable<StockShortage> shortages)
    {
        foreach (var shortage in shortages)
        {
            var words = new List<string>
            {
                $"{shortage.SkuId}: {Session.Number(shortage.Requested)} asked for, {Session.Number(shortage.Available)} there, {Session.Number(shortage.Missing)} missing",
            };
            if (shortage.ExpectedTime is { } expected)
                words.Add($"expected {Session.Time(expected)}{(shortage.ExpectedByLeadTime ? " by its lead time" : "")}");
            if (shortage.Substitutes.Count > 0)
                words.Add("instead " + string.Join(", ", shortage.Substitutes.Select(offer => $"{offer.SkuId} {Session.Number(offer.Sellable)}")));
            if (shortage.Locations.Count > 0)
                words.Add("lies at " + string.Join(", ", shortage.Locations.Select(offer => $"{offer.LocationId} {Session.Number(offer.Sellable)}{Excluded(offer.Exclusion)}")));
            say(string.Join("; ", words));
        }
    }

    private static string Excluded(LocationExclusion exclusion) => exclusion switch
    {
        LocationExclusion.Channel => " (not for this channel)",
        LocationExclusion.Region => " (another region)",
        _ => "",
    };
}
