// Rows of review: rules, approvals, rejections.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

internal static class ReviewTable
{
    public static IEnumerable<Case> Rows() => [.. Rules(), .. Decisions()];

    // The rules of the table fire for orders of an unused currency only, or of a channel that takes none.
    private static IEnumerable<Case> Rules()
    {
        var set = Rpc<SetReviewRulesRequest>.Unary("SetReviewRules",
            _ => new SetReviewRulesRequest { RequestId = Shop.NewId(), Rules = new ReviewRules { Rules = { Rule(rule => rule.OrderValue = new OrderValueCondition { CurrencyCode = "XTS" }) } } },
            async (server, request) => await server.Catalog.SetReviewRulesAsync(request));
        foreach (var row in set.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Reviewer)) yield return row;
        yield return set.Bad("rules", "missing", request => request.Rules = null);
        yield return set.Ok("rules.rules", "none", request => request.Rules.Rules.Clear());
        yield return set.Ok("rules.rules", "64", request => Replace(request, [.. Enumerable.Range(0, 64).Select(i => Rule(rule => rule.RuleId = $"rule-{i}"))]));
        yield return set.Bad("rules.rules", "65", request => Replace(request, [.. Enumerable.Range(0, 65).Select(i => Rule(rule => rule.RuleId = $"rule-{i}"))]));
        foreach (var row in set.Id("rules.rules.rule_id", (request, id) => request.Rules.Rules[0].RuleId = id, path: "rules.rules[0].rule_id")) yield return row;
        yield return set.Bad("rules.rules.rule_id", "one twice", request => request.Rules.Rules.Add(request.Rules.Rules[0].Clone()), "rules.rules[1].rule_id");
        yield return set.Bad("rules.rules.condition", "missing", request => request.Rules.Rules[0].ClearCondition(), "rules.rules[0].condition");
        foreach (var row in set.Id("rules.rules.channel_ids", (request, id) => request.Rules.Rules[0].ChannelIds.Add(id), unknown: ErrorReason.ChannelNotFound, path: "rules.rules[0].channel_ids")) yield return row;
        yield return set.Bad("rules.rules.channel_ids", "one twice", request => request.Rules.Rules[0].ChannelIds.Add(["WEB", "WEB"]), "rules.rules[0].channel_ids");
        yield return set.Refused("rules.rules.channel_ids", "256, unknown ones", ErrorReason.ChannelNotFound, request => request.Rules.Rules[0].ChannelIds.Add(Enumerable.Range(0, 256).Select(i => $"U{i}")));
        yield return set.Bad("rules.rules.channel_ids", "257", request => request.Rules.Rules[0].ChannelIds.Add(Enumerable.Range(0, 257).Select(i => $"U{i}")), "rules.rules[0].channel_ids");
        foreach (var row in set.Number("rules.rules.order_value.above_minor", (request, value) => request.Rules.Rules[0].OrderValue.AboveMinor = value, 0, 1_000_000_000_000_000, "rules.rules[0].order_value.above_minor")) yield return row;
        yield return set.Bad("rules.rules.order_value.currency_code", "empty", request => request.Rules.Rules[0].OrderValue.CurrencyCode = "", "rules.rules[0].order_value.currency_code");
        foreach (var row in set.Number("rules.rules.risk_rating_at_least", (request, value) => Replace(request, Rule(rule => rule.RiskRatingAtLeast = (int)value)), 1, 9, "rules.rules[0].risk_rating_at_least")) yield return row;
        foreach (var row in set.Number("rules.rules.fewer_orders_than", (request, value) => Replace(request, Rule(rule => rule.FewerOrdersThan = (int)value)), 1, 1_000, "rules.rules[0].fewer_orders_than")) yield return row;
        yield return set.Ok("rules.rules.payment_terms.terms", "all", request => Replace(request, Terms(PaymentTerms.CashOnDelivery, PaymentTerms.Credit, PaymentTerms.Prepaid, PaymentTerms.Instalment)));
        yield return set.Bad("rules.rules.payment_terms.terms", "none", request => Replace(request, Terms()), "rules.rules[0].payment_terms.terms");
        yield return set.Bad("rules.rules.payment_terms.terms", "unknown", request => Replace(request, Terms((PaymentTerms)99)), "rules.rules[0].payment_terms.terms");
        yield return set.Bad("rules.rules.payment_terms.terms", "one twice", request => Replace(request, Terms(PaymentTerms.Credit, PaymentTerms.Credit)), "rules.rules[0].payment_terms.terms");
        yield return set.Ok("rules.rules.note_keywords.keywords", "64 of 64 bytes", request => Replace(request, Keywords([.. Enumerable.Range(0, 64).Select(_ => Ids.Of(64))])));
        yield return set.Bad("rules.rules.note_keywords.keywords", "65", request => Replace(request, Keywords([.. Enumerable.Range(0, 65).Select(i => $"word {i}")])), "rules.rules[0].note_keywords.keywords");
        yield return set.Bad("rules.rules.note_keywords.keywords", "none", request => Replace(request, Keywords()), "rules.rules[0].note_keywords.keywords");
        yield return set.Bad("rules.rules.note_keywords.keywords", "empty", request => Replace(request, Keywords("")), "rules.rules[0].note_keywords.keywords");
        yield return set.Bad("rules.rules.note_keywords.keywords", "of 65 bytes", request => Replace(request, Keywords(Ids.Of(65))), "rules.rules[0].note_keywords.keywords");
        yield return set.Bad("rules.rules.note_keywords.keywords", "not UTF-8", request => Replace(request, Keywords("a\ufffdb")), "rules.rules[0].note_keywords.keywords");
        foreach (var row in set.Etag("rules.etag", (request, etag) => request.Rules.Etag = etag)) yield return row;
        // Nothing of the table's is left to hold other tables' orders.
        yield return set.Ok("rules.rules", "none any more", request => request.Rules.Rules.Clear());
    }

    private static ReviewRule Rule(Action<ReviewRule> change)
    {
        var rule = new ReviewRule { RuleId = "rule", OrderValue = new OrderValueCondition { CurrencyCode = "XTS" } };
        change(rule);
        return rule;
    }

    private static ReviewRule Terms(params PaymentTerms[] terms) => Rule(rule => rule.PaymentTerms = new PaymentTermsCondition { Terms = { terms } });

    private static ReviewRule Keywords(params string[] keywords) => Rule(rule => rule.NoteKeywords = new NoteKeywordCondition { Keywords = { keywords } });

    private static void Replace(SetReviewRulesRequest request, params ReviewRule[] rules)
    {
        request.Rules.Rules.Clear();
        request.Rules.Rules.Add(rules);
    }

    // The table's order is READY: a sound decision about it comes too late.
    private static IEnumerable<Case> Decisions() =>
    [
        .. Decision(Rpc<ApproveOrderRequest>.Unary("ApproveOrder", world => new ApproveOrderRequest { RequestId = Shop.NewId(), OrderId = world.OrderId },
            async (server, request) => await server.Orders.ApproveOrderAsync(request)).LeadingTo(ErrorReason.IllegalTransition),
            (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag,
            (request, reason) => request.Reason = reason),
        .. Decision(Rpc<RejectOrderRequest>.Unary("RejectOrder", world => new RejectOrderRequest { RequestId = Shop.NewId(), OrderId = world.OrderId },
            async (server, request) => await server.Orders.RejectOrderAsync(request)).LeadingTo(ErrorReason.IllegalTransition),
            (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag,
            (request, reason) => request.Reason = reason),
    ];

    private static IEnumerable<Case> Decision<T>(Rpc<T> rpc, Action<T, string> requestId, Action<T, Actor> actor, Action<T, string> order, Action<T, string> etag, Action<T, string> reason)
        where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(requestId, actor, Role.Reviewer)) yield return row;
        foreach (var row in rpc.Id("order_id", order, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
        yield return rpc.Ok("reason", "empty", request => reason(request, ""));
        yield return rpc.Ok("reason", "of 64 letters", request => reason(request, new string('A', 64)));
        yield return rpc.Bad("reason", "of 65 letters", request => reason(request, new string('A', 65)));
        yield return rpc.Bad("reason", "in lower case", request => reason(request, "fraud"));
    }
}
