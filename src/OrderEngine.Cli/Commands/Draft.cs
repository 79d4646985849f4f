// Owns how an order is given on the command line: by options, or as protobuf JSON from a file or standard input. One thread.
using System.CommandLine;
using System.Globalization;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

/// <summary>The options of an order, for submit, check and reserve commit.</summary>
internal sealed class Draft
{
    private readonly Option<string?> _file = new("--file") { Description = "Read the order as protobuf JSON of OrderDraft from a file, or - for standard input.", HelpName = "FILE" };
    private readonly Option<string?> _channel = new("--channel") { Description = "The sales channel.", HelpName = "ID" };
    private readonly Option<string?> _external = new("--external-id") { Description = "The channel's own number for the order.", HelpName = "ID" };
    private readonly Option<string?> _customer = new("--customer") { Description = "The customer; left out: a guest.", HelpName = "ID" };
    private readonly Option<string?> _currency = new("--currency") { Description = "ISO 4217; prices are in its minor units.", HelpName = "CODE" };
    private readonly Option<OrderLineDraft[]> _lines = Values.Many("--line", "A line; repeat for more. The price is in minor units (250 is 2.50).", "SKU=QUANTITY@PRICE", Values.OrderLine);
    private readonly Option<AllocationPolicy> _policy = Values.Choice<AllocationPolicy>("--policy", "What to do when stock does not cover it.");
    private readonly Option<PaymentTerms> _terms = Values.Choice<PaymentTerms>("--terms", "How it is paid.");
    private readonly Option<OrderType> _type = Values.Choice<OrderType>("--type", "What kind of order.");
    private readonly Option<Priority> _priority = Values.Choice<Priority>("--priority", "Which lane it takes.");
    private readonly Option<string?> _requested = new("--requested-time") { Description = "When the customer wants it (2026-03-01 or 2026-03-01T12:00:00Z).", HelpName = "TIME" };
    private readonly Option<Instalment[]> _instalments = Values.Many("--instalment", "With --terms instalment: what is due when, in minor units; repeat for more.", "TIME=MINOR", Part);
    private readonly PersonalOptions _delivery = new();

    public void AddTo(Command command)
    {
        foreach (var option in All)
            command.Add(option);
    }

    private IEnumerable<Option> All => [_file, _channel, _external, _customer, _currency, _lines, _policy, _terms, _type, _priority, _requested, _instalments, .. _delivery.Options];

    public async Task<OrderDraft> ReadAsync(Session session, bool externalIdNeeded, CancellationToken cancellationToken)
    {
        if (session.Get(_file) is { } file)
        {
            if (All.Skip(1).FirstOrDefault(session.Has) is { } other)
                throw new UsageException($"--file already holds the whole order: leave out {other.Name}, or leave out --file.");
            return await JsonInput.ReadAsync<OrderDraft>(session, "--file", file, cancellationToken);
        }

        var order = new OrderDraft
        {
            ChannelId = session.Get(_channel) ?? throw Missing("--channel ID"),
            ExternalOrderId = session.Get(_external) ?? (externalIdNeeded ? throw Missing("--external-id ID") : ""),
            CustomerId = session.Get(_customer) ?? "",
            CurrencyCode = session.Get(_currency) ?? throw Missing("--currency CODE, such as --currency GBP"),
            AllocationPolicy = session.Get(_policy), PaymentTerms = session.Get(_terms), Type = session.Get(_type), Priority = session.Get(_priority),
        };
        order.Lines.Add(session.Get(_lines) is { Length: > 0 } lines ? lines : throw Missing("--line SKU=QUANTITY@PRICE"));
        if (session.Get(_requested) is { } text)
            order.RequestedTime = Values.Time("--requested-time", text);
        order.Instalments.Add(session.Get(_instalments) ?? []);
        if (_delivery.Given(session).Any())
            order.Delivery = _delivery.Read(session);
        return order;
    }

    private static UsageException Missing(string what) => new($"The order needs {what} (or give the whole order with --file FILE).");

    // TIME=AMOUNT: the time may hold no '='.
    private static Instalment Part(string text)
    {
        var at = text.LastIndexOf('=');
        if (at < 0 || !long.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
            throw new UsageException($"'{text}' is not a time and an amount in minor units. Write TIME=MINOR, such as 2026-03-01=1250.");
        return new Instalment { DueTime = Values.Time("--instalment", text[..at]), AmountMinor = amount };
    }
}
