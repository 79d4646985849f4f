// Requests about review to commands, and the rules that read notes: here they are still plain text, behind here they are encrypted. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps review rules, approvals and rejections.</summary>
internal static class ReviewRequests
{
    /// <summary>Ids of the rules whose keywords the order's note or a special request holds; empty without such texts or rules.</summary>
    public static byte[][] NoteRules(OrderDraft order, int channel, StateReader reader)
    {
        var note = order.Delivery?.Note ?? "";
        if (order.Extras is { SpecialRequests.Count: > 0 } extras) return NoteRules([note, .. extras.SpecialRequests.Select(request => request.Text)], channel, reader);
        return note.Length == 0 ? [] : NoteRules([note], channel, reader);
    }

    /// <summary>Ids of the rules whose keywords one of the texts holds.</summary>
    public static byte[][] NoteRules(string[] texts, int channel, StateReader reader)
    {
        List<byte[]>? fired = null;
        foreach (var rule in reader.LatestReviewRules)
        {
            if (!rule.Covers(channel)) continue;
            foreach (var keyword in rule.Keywords)
            {
                if (!Array.Exists(texts, text => text.Contains(keyword, StringComparison.OrdinalIgnoreCase))) continue;
                (fired ??= []).Add(rule.Id);
                break;
            }
        }
        return fired is null ? [] : [.. fired];
    }

    /// <summary>An approval.</summary>
    public static Mapped<ApproveOrder> Map(ApproveOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ApproveOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ApproveOrder
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order,
        };
    }

    /// <summary>A rejection.</summary>
    public static Mapped<RejectOrder> Map(RejectOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RejectOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RejectOrder
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order,
        };
    }

    /// <summary>All review rules.</summary>
    public static Mapped<SetReviewRules> Map(SetReviewRulesRequest request, StateReader reader, PersonalVault vault)
    {
        const string Path = "rules.rules";
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.SetReviewRules, request.RequestId, request.Actor);
        if (!Fields.CheckPresent(ref violations, "rules", request.Rules)) return violations.ToStatus();
        var list = request.Rules.Rules;
        if (!Fields.CheckCount(ref violations, Path, list.Count, 0, Limits.ReviewRules)) return violations.ToStatus();
        var references = new References(reader);
        var rules = new Core.ReviewRule[list.Count];
        var seen = new HashSet<string>(list.Count);
        for (var i = 0; i < rules.Length; i++)
        {
            var id = Fields.Id(ref violations, new FieldPath(Path, i, "rule_id"), list[i].RuleId);
            if (!seen.Add(list[i].RuleId)) violations.Add(new FieldPath(Path, i, "rule_id"), "must not come twice");
            rules[i] = Condition(ref violations, i, id, list[i]) with { Channels = Channels(ref violations, ref references, i, list[i]) };
        }
        var etag = Fields.Etag(ref violations, "rules.etag", request.Rules.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new SetReviewRules
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Rules = rules,
        };

        static Core.ReviewRule Condition(ref Violations violations, int index, byte[] id, Contracts.V1.ReviewRule rule)
        {
            switch (rule.ConditionCase)
            {
                case Contracts.V1.ReviewRule.ConditionOneofCase.OrderValue:
                    Fields.CheckRange(ref violations, new FieldPath(Path, index, "order_value.above_minor"), rule.OrderValue.AboveMinor, 0, Limits.OrderTotal);
                    var currency = Fields.Currency(ref violations, new FieldPath(Path, index, "order_value.currency_code"), rule.OrderValue.CurrencyCode, required: true);
                    return new Core.ReviewRule(id, Core.ReviewCondition.OrderValue) { Amount = rule.OrderValue.AboveMinor, CurrencyCode = currency };
                case Contracts.V1.ReviewRule.ConditionOneofCase.CreditExposure:
                    return new Core.ReviewRule(id, Core.ReviewCondition.CreditExposure);
                case Contracts.V1.ReviewRule.ConditionOneofCase.RiskRatingAtLeast:
                    Fields.CheckRange(ref violations, new FieldPath(Path, index, "risk_rating_at_least"), rule.RiskRatingAtLeast, 1, Limits.RiskRating);
                    return new Core.ReviewRule(id, Core.ReviewCondition.RiskRating) { Threshold = rule.RiskRatingAtLeast };
                case Contracts.V1.ReviewRule.ConditionOneofCase.FewerOrdersThan:
                    Fields.CheckRange(ref violations, new FieldPath(Path, index, "fewer_orders_than"), rule.FewerOrdersThan, 1, Limits.NewCustomerOrders);
                    return new Core.ReviewRule(id, Core.ReviewCondition.NewCustomer) { Threshold = rule.FewerOrdersThan };
                case Contracts.V1.ReviewRule.ConditionOneofCase.PaymentTerms:
                    return new Core.ReviewRule(id, Core.ReviewCondition.PaymentTerms) { Terms = Terms(ref violations, index, rule.PaymentTerms) };
                case Contracts.V1.ReviewRule.ConditionOneofCase.NoteKeywords:
                    return new Core.ReviewRule(id, Core.ReviewCondition.NoteKeyword) { Keywords = Keywords(ref violations, index, rule.NoteKeywords) };
                default:
                    violations.Add(new FieldPath(Path, index, "condition"), "must be set");
                    return new Core.ReviewRule(id, Core.ReviewCondition.None);
            }
        }

        static Core.PaymentTerms[] Terms(ref Violations violations, int index, PaymentTermsCondition condition)
        {
            var path = new FieldPath(Path, index, "payment_terms.terms");
            if (!Fields.CheckCount(ref violations, path, condition.Terms.Count, 1, 4)) return [];
            foreach (var terms in condition.Terms)
                if (terms == Contracts.V1.PaymentTerms.Unspecified || !Enum.IsDefined(terms)) violations.Add(path, "must be values of PaymentTerms");
            if (condition.Terms.Distinct().Count() < condition.Terms.Count) violations.Add(path, "must not come twice");
            return [.. condition.Terms.Select(terms => (Core.PaymentTerms)terms)];
        }

        static string[] Keywords(ref Violations violations, int index, NoteKeywordCondition condition)
        {
            var path = new FieldPath(Path, index, "note_keywords.keywords");
            if (!Fields.CheckCount(ref violations, path, condition.Keywords.Count, 1, Limits.KeywordsPerReviewRule)) return [];
            foreach (var keyword in condition.Keywords)
            {
                if (keyword.Length == 0) violations.Add(path, "must not be empty");
                else Fields.CheckText(ref violations, path, keyword, Limits.KeywordBytes);
            }
            return [.. condition.Keywords];
        }

        static int[] Channels(ref Violations violations, ref References references, int index, Contracts.V1.ReviewRule rule)
        {
            var path = new FieldPath(Path, index, "channel_ids");
            if (!Fields.CheckCount(ref violations, path, rule.ChannelIds.Count, 0, Limits.ChannelsPerReviewRule)) return [];
            var numbers = new int[rule.ChannelIds.Count];
            var seen = new HashSet<string>(numbers.Length);
            for (var i = 0; i < numbers.Length; i++)
            {
                Fields.CheckId(ref violations, path, rule.ChannelIds[i]);
                if (!seen.Add(rule.ChannelIds[i])) violations.Add(path, "must not come twice");
                numbers[i] = references.Channel(path, rule.ChannelIds[i]);
            }
            Array.Sort(numbers);
            return numbers;
        }
    }
}
