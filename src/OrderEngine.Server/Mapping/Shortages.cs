// What is short of a demand, for clients: from the recorded event, so that a retry gets the same. Runs inside a read guard, or where ids alone are read.

using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's shortages.</summary>
internal static class Shortages
{
    /// <summary>One shortage without its lines.</summary>
    public static StockShortage Map(StateReader reader, Journaled.Shortage shortage)
    {
        var mapped = new StockShortage
        {
            SkuId = Texts.Sku(reader, (int)shortage.Sku), Requested = (long)shortage.Requested, Available = (long)shortage.Available,
            Missing = (long)(shortage.Requested - shortage.Available), ExpectedTime = Texts.Time((long)shortage.ExpectedTime), ExpectedByLeadTime = shortage.ByLeadTime != 0,
        };
        foreach (var offer in shortage.Substitutes) mapped.Substitutes.Add(new SubstituteOffer { SkuId = Texts.Sku(reader, (int)offer.Sku), Sellable = (long)offer.Sellable });
        foreach (var place in shortage.Places)
            mapped.Locations.Add(new LocationOffer { LocationId = Texts.Location(reader, (int)place.Location), Sellable = place.Sellable, Exclusion = (LocationExclusion)place.Exclusion });
        return mapped;
    }

    /// <summary>All shortages of an order that was accepted, with their lines.</summary>
    public static void Add(RepeatedField<StockShortage> shortages, StateReader reader, Journaled.OrderSubmitted submitted)
    {
        foreach (var shortage in submitted.Shortages)
        {
            var mapped = Map(reader, shortage);
            for (var i = 0; i < submitted.Lines.Count; i++)
                if (submitted.Lines[i].Sku == shortage.Sku && mapped.LineNumbers.Count < Refusals.LineNumbersTold) mapped.LineNumbers.Add(i + 1);
            shortages.Add(mapped);
        }
    }
}
