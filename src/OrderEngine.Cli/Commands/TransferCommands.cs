// Owns the command lines of import and export. One thread.
using System.CommandLine;
using System.Globalization;
using OrderEngine.Cli.Import;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class TransferCommands
{
    private const string OnlineRetailFormat = "online-retail";
    private const string EventsFormat = "events";
    private const string OrdersFormat = "orders";
    private const string RejectNotes = "reject";
    private const string ReturnNotes = "return";
    private static readonly TimeSpan LongRetry = TimeSpan.FromSeconds(60);

    public static Command Import(Runner run)
    {
        var command = new Command("import", "Import orders from a file, or the events of an export into an empty engine. Importing again changes nothing.");
        var file = new Argument<string>("FILE") { Description = "The file, plain or gzip." };
        var format = Values.Word("--format", "online-retail: invoices of the UCI Online Retail data set as CSV. events: what orderctl export wrote.", OnlineRetailFormat, EventsFormat);
        format.Required = true;
        var openStock = new Option<decimal?>("--open-stock")
        {
            Description = "online-retail: first receive F times what the file sells of each SKU, rounded up, where there is no stock yet.", HelpName = "F",
            CustomParser = result => decimal.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var factor) && factor <= OnlineRetailImport.LargestFactor
                ? factor
                : Wrong(result),
        };
        var rejects = new Option<string?>("--rejects") { Description = "online-retail: where rejected rows go, with a reason each. Default: FILE's name with .rejects.csv, here.", HelpName = "FILE" };
        var refused = new Option<string?>("--refused") { Description = "online-retail: where orders that the engine refused go, with reason and message. Default: FILE's name with .refused.csv, beside --rejects.", HelpName = "FILE" };
        var creditNotes = Values.Word("--credit-notes",
            "online-retail: return: a row that matches an earlier order of the customer becomes a return with restock, after the order is delivered. reject: all their rows are rejected.",
            ReturnNotes, RejectNotes);
        creditNotes.DefaultValueFactory = _ => ReturnNotes;
        command.Add(file);
        foreach (var option in new Option[] { format, openStock, rejects, refused, creditNotes })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var path = session.Get(file);
            if (!File.Exists(path))
                throw new UsageException($"There is no file '{path}'.");
            GzipFile.Check(path);
            if (session.Get(format) == EventsFormat)
            {
                if (session.Has(openStock) || session.Has(rejects) || session.Has(refused) || session.Has(creditNotes))
                    throw new UsageException("--open-stock, --rejects, --refused and --credit-notes belong to --format online-retail; an export of events brings its stock along.");
                return await EventFile.ImportAsync(session, path, cancellationToken);
            }

            return await new OnlineRetailImport(session, path, session.Get(openStock), session.Get(rejects), session.Get(refused),
                session.Get(creditNotes) == ReturnNotes).RunAsync(cancellationToken);
        }, LongRetry);
    }

    public static Command Export(Runner run)
    {
        var command = new Command("export", "Write every event (to be imported into an empty engine), or every order, archived ones too, as all stand at one moment.");
        var file = new Argument<string>("FILE") { Description = "Where to; - is standard output.", DefaultValueFactory = _ => "-" };
        var format = Values.Word("--format",
            "events: protobuf JSON of journal events, one a line, between a header and a trailer. orders: protobuf JSON of orders, one a line, between the same.", EventsFormat, OrdersFormat);
        format.DefaultValueFactory = _ => EventsFormat;
        var personal = new Option<bool>("--personal-data") { Description = "Put decrypted personal data into the export. Guard the file." };
        var history = new Option<bool>("--history") { Description = "orders: with everything that ever happened to each." };
        var channel = new Option<string?>("--channel") { Description = "orders: of this channel.", HelpName = "ID" };
        var states = Values.Choices<OrderState>("--state", "orders: in this state; repeat for more.");
        var since = new Option<string?>("--since") { Description = "orders: accepted then or later, such as 2026-01-31T09:00Z.", HelpName = "TIME" };
        var before = new Option<string?>("--before") { Description = "orders: accepted earlier.", HelpName = "TIME" };
        Option[] ofOrders = [history, channel, states, since, before];
        command.Add(file);
        command.Add(format);
        command.Add(personal);
        foreach (var option in ofOrders)
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            if (session.Get(format) != OrdersFormat)
            {
                if (Array.Find(ofOrders, session.Has) is { } misplaced)
                    throw new UsageException($"{misplaced.Name} belongs to --format orders; an export of events is always whole.");
                return await EventFile.ExportAsync(session, session.Get(file), session.Get(personal), cancellationToken);
            }

            return await OrderFile.ExportAsync(session, session.Get(file), new ExportOrdersRequest
            {
                ChannelId = session.Get(channel) ?? "", States = { session.Get(states) ?? [] }, IncludeHistory = session.Get(history), IncludePersonalData = session.Get(personal),
                AcceptedSince = ListCommands.Moment("--since", session.Get(since)), AcceptedBefore = ListCommands.Moment("--before", session.Get(before)),
            }, cancellationToken);
        }, LongRetry);
    }

    private static decimal? Wrong(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--open-stock: '{result.Tokens[0].Value}' is not a factor. Write a number from 0 to {OnlineRetailImport.LargestFactor}, such as 1 or 0.5.");
        return null;
    }
}
