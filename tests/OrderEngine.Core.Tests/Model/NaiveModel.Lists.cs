// Listing, by looking at everything.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    /// <summary>The numbers of all orders that match, in the order asked for.</summary>
    public List<long> List(OrderQuery query)
    {
        var found = Orders.Where(order =>
            (query.Channel == 0 || order.Submitted.Channel == query.Channel)
            && (query.Customer == 0 || order.Submitted.Customer == query.Customer)
            && (query.States.Length == 0 || query.States.Contains(order.State))
            && (query.Tiers.Length == 0 || query.Tiers.Contains(order.Tier))
            && order.AcceptedAt >= query.Since && (query.Before == 0 || order.AcceptedAt < query.Before)
            && (!query.WithException || Exceptions.Any(e => e.Open && e.Order == order.Number))
            && (query.Exception == ExceptionKind.None || Exceptions.Any(e => e.Open && e.Order == order.Number && e.Kind == query.Exception)))
            .Select(order => order.Number).ToList();
        if (!query.OldestFirst) found.Reverse();
        return found;
    }

    /// <summary>The numbers of all exceptions that match, in the order asked for. Grades and owners are the core's alone.</summary>
    public List<long> List(ExceptionQuery query)
    {
        var found = Enumerable.Range(1, Exceptions.Count).Where(number =>
            (query.Order == 0 || Exceptions[number - 1].Order == query.Order)
            && (query.Kind == ExceptionKind.None || Exceptions[number - 1].Kind == query.Kind)
            && (query.Open is null || Exceptions[number - 1].Open == query.Open)).Select(number => (long)number).ToList();
        if (!query.OldestFirst) found.Reverse();
        return found;
    }
}
