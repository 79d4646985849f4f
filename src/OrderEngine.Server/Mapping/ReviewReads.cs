// Review rules and the reasons of reviews, for clients. References in rules are good for ever: no guard needed.

using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's review rules and reasons.</summary>
internal static class ReviewReads
{
    /// <summary>One encoded orderengine.journal.ReviewReason.</summary>
    public static ReviewReason Reason(ReadOnlySpan<byte> message) => Reason(Journaled.ReviewReason.Parser.ParseFrom(message));

    /// <summary>Adds the reasons for which an order was held when it was accepted or amended.</summary>
    public static void AddReasons(RepeatedField<ReviewReason> reasons, IEnumerable<Journaled.ReviewReason> said)
    {
        foreach (var reason in said) reasons.Add(Reason(reason));
    }

    /// <summary>All rules, from orderengine.journal.ReviewRulesDefined; an empty body: none have been set.</summary>
    public static Contracts.V1.ReviewRules Rules(StateReader reader, ReadOnlySpan<byte> body, long version)
    {
        var rules = new Contracts.V1.ReviewRules();
        if (version == 0) return rules;
        foreach (var rule in Journaled.ReviewRulesDefined.Parser.ParseFrom(body).Rules) rules.Rules.Add(Rule(reader, rule));
        rules.Sequence = version;
        rules.Etag = Texts.Etag(version);
        return rules;
    }

    private static ReviewReason Reason(Journaled.ReviewReason reason) => new() { Condition = (Contracts.V1.ReviewCondition)reason.Condition, RuleId = reason.RuleId };

    private static Contracts.V1.ReviewRule Rule(StateReader reader, Journaled.ReviewRule rule)
    {
        var mapped = new Contracts.V1.ReviewRule { RuleId = rule.RuleId };
        foreach (var channel in rule.Channels) mapped.ChannelIds.Add(Texts.Channel(reader, (int)channel));
        switch ((Core.ReviewCondition)rule.Condition)
        {
            case Core.ReviewCondition.OrderValue:
                mapped.OrderValue = new OrderValueCondition { AboveMinor = (long)rule.Amount, CurrencyCode = rule.Currency };
                break;
            case Core.ReviewCondition.CreditExposure:
                mapped.CreditExposure = new CreditExposureCondition();
                break;
            case Core.ReviewCondition.RiskRating:
                mapped.RiskRatingAtLeast = (int)rule.Threshold;
                break;
            case Core.ReviewCondition.NewCustomer:
                mapped.FewerOrdersThan = (int)rule.Threshold;
                break;
            case Core.ReviewCondition.PaymentTerms:
                mapped.PaymentTerms = new PaymentTermsCondition();
                foreach (var terms in rule.Terms) mapped.PaymentTerms.Terms.Add((Contracts.V1.PaymentTerms)terms);
                break;
            case Core.ReviewCondition.NoteKeyword:
                mapped.NoteKeywords = new NoteKeywordCondition { Keywords = { rule.Keywords } };
                break;
        }
        return mapped;
    }
}
