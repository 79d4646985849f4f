// orderctl's money, review rules and the fields of channels and customers: what is sent for what is typed, what is shown, what is wrong input.
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlMoneyTests
{
    [Fact]
    public async Task A_payment_is_recorded_and_what_it_did_is_told()
    {
        RecordPaymentRequest? sent = null;
        var services = new FakeServices();
        services.Orders.OnPay = request =>
        {
            sent = request;
            return new RecordPaymentResponse
            {
                OrderId = "o1", State = OrderState.Ready, Effect = PaymentEffect.Overpaid,
                Balance = new Balance { State = PaymentState.RefundDue, PayableMinor = 250, PaidMinor = 1_795, RefundDueMinor = 1_545 },
            };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "order", "pay", "o1", "--amount", "1795", "--currency", "GBP", "--reference", "B1", "--time", "2026-03-01", "--request-id", "r1", "--actor", "anna");

        Assert.Equal(0, run.Code);
        Assert.Equal(new RecordPaymentRequest
        {
            RequestId = "r1", OrderId = "o1", AmountMinor = 1_795, CurrencyCode = "GBP", Reference = "B1", Actor = new Actor { Id = "anna" },
            PaymentTime = Timestamp.FromDateTime(new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc)),
        }, sent);
        Assert.Contains("more than that", run.Out, StringComparison.Ordinal);
        Assert.Contains("to be refunded  15.45 GBP", run.Out, StringComparison.Ordinal);
        var wrong = await Ctl.RunAsync(engine.Address, "order", "pay", "o1", "--amount", "1795", "--currency", "GBP", "--reference", "B1", "--time", "soon");
        Assert.Equal(2, wrong.Code);
        Assert.Contains("--time: 'soon' is not a time. Write 2026-03-01", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("--reference", (await Ctl.RunAsync(engine.Address, "order", "pay", "o1", "--amount", "1", "--currency", "GBP")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settlement_is_shown_in_its_currency_with_what_came_and_went()
    {
        var services = new FakeServices();
        services.Orders.OnSettlement = request => new Settlement
        {
            OrderId = request.OrderId, CurrencyCode = "JPY", State = OrderState.Delivered, OrderedMinor = 5_000, ReturnedMinor = 1_000, DueNowMinor = 500,
            Balance = new Balance { State = PaymentState.PartiallyPaid, PayableMinor = 4_000, PaidMinor = 3_500, OutstandingMinor = 500 },
            Instalments = { new Instalment { AmountMinor = 4_000, DueTime = Timestamp.FromDateTime(DateTime.UnixEpoch) } },
            Movements = { new MoneyMovement { AmountMinor = -700, Reference = "BANK-9", Sequence = 12 } },
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "order", "settlement", "o1");

        foreach (var part in (string[])["5,000 JPY", "due now         500 JPY", "settled         no", "1970-01-01", "-700 JPY", "BANK-9"]) Assert.Contains(part, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Review_rules_are_set_from_json_and_what_is_wrong_with_it_is_named()
    {
        SetReviewRulesRequest? sent = null;
        var services = new FakeServices();
        services.Catalog.OnSetReviewRules = request =>
        {
            sent = request;
            return request.Rules;
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var scratch = new Scratch();
        const string Rules = """
            {"rules":[{"ruleId":"LARGE","channelIds":["web"],"orderValue":{"aboveMinor":"1000000","currencyCode":"GBP"}},{"ruleId":"URGENT","noteKeywords":{"keywords":["\u52a0\u6025","custom"]}}],"etag":"7"}
            """;
        await File.WriteAllTextAsync(scratch["rules.json"], Rules);

        var run = await Ctl.RunAsync(engine.Address, "review-rules", "set", scratch["rules.json"], "--request-id", "r1");

        Assert.Equal(0, run.Code);
        Assert.Equal(("r1", "7", 1_000_000), (sent!.RequestId, sent.Rules.Etag, sent.Rules.Rules[0].OrderValue.AboveMinor));
        Assert.Contains("worth more than 10,000.00 GBP", run.Out, StringComparison.Ordinal);
        Assert.Contains("'加急' or 'custom'", run.Out, StringComparison.Ordinal);
        // What --json shows is what set reads.
        var json = (await Ctl.RunWithInputAsync(engine.Address, Rules, "review-rules", "set", "-", "--json")).Out;
        Assert.Equal(0, (await Ctl.RunWithInputAsync(engine.Address, json, "review-rules", "set", "-")).Code);

        var unknown = await Ctl.RunWithInputAsync(engine.Address, """{"rules":[{"rule":"LARGE"}]}""", "review-rules", "set", "-");
        Assert.Equal(2, unknown.Code);
        Assert.Contains("FILE: standard input is not a ReviewRules in JSON: Unknown field: rule. Its fields are those of ReviewRules in orderengine/v1/catalog.proto", unknown.Error, StringComparison.Ordinal);
        Assert.Contains("there is no file", (await Ctl.RunAsync(engine.Address, "review-rules", "set", scratch["none"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_channel_and_a_customer_are_set_as_typed()
    {
        UpsertChannelRequest? channel = null;
        UpsertCustomerRequest? customer = null;
        var services = new FakeServices();
        services.Catalog.OnUpsertChannel = request => (channel = request).Channel;
        services.Customers.OnUpsert = request => (customer = request).Customer;
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "catalog", "channel", "upsert", "web", "--max-order", "500000", "--limit-currency", "GBP", "--max-lines", "9", "--payment-due", "36h",
            "--review-expiry", "2d", "--return-window", "30d", "--max-ttl", "90m", "--requires-confirmation", "--sourcing", "most-available");
        await Ctl.RunAsync(engine.Address, "customer", "upsert", "C1", "--credit-limit", "500", "--credit-currency", "GBP", "--terms", "prepaid", "--risk-rating", "3", "--tier", "2", "--city", "Leeds");

        Assert.Equal(new Channel
        {
            ChannelId = "web", SourcingRule = SourcingRule.MostAvailable, MaxOrderMinor = 500_000, OrderLimitCurrency = "GBP", MaxLines = 9, RequiresConfirmation = true,
            PaymentDue = Hours(36), ReviewExpiry = Hours(48), ReturnWindow = Hours(720), MaxReservationTtl = Hours(1.5),
        }, channel!.Channel);
        foreach (var part in (string[])["5,000.00 GBP", "payment due     36h", "review expires  2d", "longest hold    90m"]) Assert.Contains(part, run.Out, StringComparison.Ordinal);
        Assert.Equal(new Customer
        {
            CustomerId = "C1", Tier = 2, CreditLimitMinor = 500, CreditCurrency = "GBP", PaymentTerms = PaymentTerms.Prepaid, RiskRating = 3, Details = new PersonalDetails { City = "Leeds" },
        }, customer!.Customer);
        Assert.Contains("--payment-due: 'soon' is not a duration", (await Ctl.RunAsync(engine.Address, "catalog", "channel", "upsert", "web", "--payment-due", "soon")).Error, StringComparison.Ordinal);
    }

    private static Duration Hours(double hours) => Duration.FromTimeSpan(TimeSpan.FromHours(hours));
}
