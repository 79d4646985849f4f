// Owns review-rules get and set, and order approve and reject. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class ReviewCommands
{
    public static Command Rules(Runner run)
    {
        var rules = new Command("review-rules", "Which orders wait for a reviewer, with their stock reserved.");
        rules.Add(Get(run));
        rules.Add(Set(run));
        return rules;
    }

    public static Command Approve(Runner run) => Decision(run, "approve", "Let an order that waits for its reviewer go on.", "Approved", "CREDIT_CHECKED", async (session, request, cancellationToken) =>
        await session.Client.Orders.ApproveOrderAsync(request, cancellationToken: cancellationToken));

    public static Command Reject(Runner run) => Decision(run, "reject", "Refuse an order that waits for its reviewer: its stock is free again.", "Rejected", "FRAUD", async (session, request, cancellationToken) =>
        await session.Client.Orders.RejectOrderAsync(
            new RejectOrderRequest { RequestId = request.RequestId, OrderId = request.OrderId, Etag = request.Etag, Reason = request.Reason }, cancellationToken: cancellationToken));

    private static Command Decision(Runner run, string name, string description, string word, string example, Func<Session, ApproveOrderRequest, CancellationToken, Task<ReviewResponse>> send)
    {
        var command = new Command(name, description);
        var id = OrderCommands.OrderId();
        var (reason, etag, requestId) = (OrderCommands.Reason(example), OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, reason, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await send(session, new ApproveOrderRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
            }, cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say(answer.Replayed ? $"{word} before." : $"{word}.");
                s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
            });
        });
    }

    private static Command Get(Runner run) => run.Does(new Command("get", "Show the rules. With --json as 'review-rules set' reads them."), async (session, cancellationToken) =>
        Show(session, await session.Client.Catalog.GetReviewRulesAsync(new GetReviewRulesRequest(), cancellationToken: cancellationToken)));

    private static Command Set(Runner run)
    {
        var command = new Command("set", "Replace all rules, for orders from now on.");
        var file = new Argument<string>("FILE") { Description = "The rules as protobuf JSON of ReviewRules; - is standard input. An etag in it is checked." };
        var requestId = OrderCommands.RequestId();
        command.Add(file);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var rules = await JsonInput.ReadAsync<ReviewRules>(session, "FILE", session.Get(file), cancellationToken);
            return Show(session, await session.Client.Catalog.SetReviewRulesAsync(
                new SetReviewRulesRequest { RequestId = session.Get(requestId) ?? "", Rules = rules }, cancellationToken: cancellationToken));
        });
    }

    private static int Show(Session session, ReviewRules rules) => session.Answer(rules, s =>
    {
        if (rules.Rules.Count == 0)
            s.Say("No rules: no order waits for a reviewer.");
        else
            s.Table(["rule", "channels", "an order waits for a reviewer when"], rules.Rules.Select(rule => new[] { rule.RuleId, Channels(rule), Condition(rule) }));
        s.Fields(("sequence", Session.Number(rules.Sequence)), ("etag", rules.Etag));
    });

    private static string Channels(ReviewRule rule) => rule.ChannelIds.Count == 0 ? "(all)" : string.Join(", ", rule.ChannelIds);

    private static string Condition(ReviewRule rule) => rule.ConditionCase switch
    {
        ReviewRule.ConditionOneofCase.OrderValue => $"it is worth more than {Session.Money(rule.OrderValue.AboveMinor, rule.OrderValue.CurrencyCode)}",
        ReviewRule.ConditionOneofCase.CreditExposure => "the customer would owe more than the credit limit",
        ReviewRule.ConditionOneofCase.RiskRatingAtLeast => $"the customer's risk rating is {rule.RiskRatingAtLeast} or worse",
        ReviewRule.ConditionOneofCase.FewerOrdersThan => $"the customer has fewer than {Session.Number(rule.FewerOrdersThan)} orders",
        ReviewRule.ConditionOneofCase.PaymentTerms => $"it is paid by {string.Join(" or ", rule.PaymentTerms.Terms.Select(Values.Upper))}",
        ReviewRule.ConditionOneofCase.NoteKeywords => $"its note says {string.Join(" or ", rule.NoteKeywords.Keywords.Select(word => $"'{word}'"))}",
        _ => "(a condition that this orderctl does not know)",
    };

    /// <summary>Why an order waits for its reviewer, in a line.</summary>
    public static string Reasons(IEnumerable<ReviewReason> reasons) => string.Join(", ", reasons.Select(reason => $"{reason.RuleId} ({Values.Upper(reason.Condition)})"));
}
