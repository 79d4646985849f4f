// Owns one run of a command: its options, its client, and how answers are written. One thread.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using Spectre.Console;

namespace OrderEngine.Cli;

/// <summary>What the body of a command works with.</summary>
internal sealed class Session(ParseResult parsed, Terminal terminal, TimeSpan? retryFor) : IDisposable
{
    /// <summary>Long enough for an engine that is just starting.</summary>
    public static readonly TimeSpan ShortRetry = TimeSpan.FromSeconds(10);

    // The details of a google.rpc.Status travel as Any: the formatter must know every type that stands in one.
    private static readonly TypeRegistry DetailTypes = TypeRegistry.FromFiles(Google.Rpc.ErrorDetailsReflection.Descriptor, ErrorsReflection.Descriptor);
    private static readonly JsonFormatter Full = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithTypeRegistry(DetailTypes));
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private OrderEngineClient? _client;

    public Terminal Terminal => terminal;

    public bool Json => parsed.GetValue(Globals.Json);

    public string Address => parsed.GetValue(Globals.Address)!;

    /// <summary>How long the command goes on without an engine; <see cref="Timeout.InfiniteTimeSpan"/>: for ever.</summary>
    public TimeSpan RetryFor => parsed.GetValue(Globals.RetryFor) ?? retryFor ?? Timeout.InfiniteTimeSpan;

    /// <summary>The client, made on first use.</summary>
    public OrderEngineClient Client => _client ??= Connect();

    /// <summary>Who asks, as --actor and --role say; null: they say nothing. The client puts it into every change.</summary>
    public Actor? Actor => Has(Globals.Actor) || Has(Globals.Role) ? new Actor { Id = Get(Globals.Actor) ?? "", Role = Get(Globals.Role) } : null;

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    public void Dispose() => _client?.Dispose();

    /// <summary>One message as one line of JSON. Details of a newer engine's errors, of types not known here, are left out.</summary>
    public static string ToJson(IMessage message)
    {
        if (message is CheckFulfillabilityResponse { Refusal: { } refusal } check && refusal.Details.Any(IsUnknown))
        {
            var known = check.Clone();
            known.Refusal.Details.Clear();
            known.Refusal.Details.Add(refusal.Details.Where(detail => !IsUnknown(detail)));
            message = known;
        }

        return Full.Format(message);
    }

    /// <summary>One object as one line of JSON.</summary>
    public static string ToJson(JsonNode node) => node.ToJsonString(OneLine);

    /// <summary>Writes the answer: the message as JSON, or what <paramref name="table"/> writes for people.</summary>
    public int Answer(IMessage message, Action<Session> table)
    {
        if (Json)
            terminal.Out.WriteLine(ToJson(message));
        else
            table(this);
        return ExitCodes.Ok;
    }

    /// <summary>Writes a list: each entry as a line of JSON, or a table for people.</summary>
    public int Entries<T>(IReadOnlyList<T> entries, string[] columns, Func<T, string[]> row) where T : IMessage
    {
        if (Json)
        {
            foreach (var entry in entries)
                Say(ToJson(entry));
        }
        else
        {
            if (entries.Count > 0)
                Table(columns, entries.Select(row));
            else
                Note("There are none.");
        }
        return ExitCodes.Ok;
    }

    /// <summary>A line for people on standard output.</summary>
    public void Say(string line) => terminal.Out.WriteLine(line);

    /// <summary>A line on standard error: progress, warnings, what to do next.</summary>
    public void Note(string line) => terminal.Error.WriteLine(line);

    /// <summary>A table on standard output. Cells are plain text.</summary>
    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            var header = new TableColumn(new Text(right ? column[1..] : column, new Style(decoration: Decoration.Bold)));
            table.AddColumn(right ? header.RightAligned() : header);
        }

        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Out), Ansi = terminal.OutIsTerminal ? AnsiSupport.Detect : AnsiSupport.No, Interactive = InteractionSupport.No,
        });
        console.Profile.Width = terminal.Width;
        console.Write(table);
    }

    /// <summary>Names and values, one a line.</summary>
    public void Fields(params (string Name, string Value)[] fields)
    {
        var width = fields.Max(field => field.Name.Length);
        foreach (var (name, value) in fields)
        {
            if (value.Length > 0)
                terminal.Out.WriteLine($"{name.PadRight(width)}  {value}");
        }
    }

    /// <summary>Says why the engine refused, or that it cannot be reached, and what to do.</summary>
    public int Refused(OrderEngineError error)
    {
        if (Json)
            terminal.Out.WriteLine(ToJson(new JsonObject { ["error"] = ErrorJson(error) }));
        var away = error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded;
        if (away && error.Reason == ErrorReason.Unspecified)
        {
            Note($"orderctl: no engine answers at {Address} ({error.Message}).");
            Note("Start it (dotnet run --project src/OrderEngine.Server), or name the right one with --address URL.");
            return ExitCodes.Unavailable;
        }

        Note($"orderctl: {error.ReasonName}: {error.Message}");
        // The message of INVALID_FIELD begins with the first of them.
        foreach (var problem in error.FieldProblems.Select(problem => $"{problem.Field}: {problem.Rule}"))
        {
            if (!error.Message.StartsWith(problem, StringComparison.Ordinal))
                Note("  " + problem);
        }

        foreach (var shortage in error.Shortages)
            Note($"  {shortage.SkuId}: {Number(shortage.Requested)} asked for, {Number(shortage.Available)} there, {Number(shortage.Missing)} missing");
        foreach (var (key, value) in error.Metadata)
            Note($"  {key}: {value}");
        if (error.Advice.Length > 0)
            Note(AdviceFor(error));
        return away ? ExitCodes.Unavailable : ExitCodes.Failed;
    }

    /// <summary>An error as JSON.</summary>
    public static JsonObject ErrorJson(OrderEngineError error) => new()
    {
        ["reason"] = error.ReasonName,
        ["status"] = Values.Upper(error.StatusCode),
        ["message"] = error.Message,
        ["retryable"] = error.Retryable,
        ["fields"] = new JsonArray([.. error.FieldProblems.Select(p => (JsonNode)new JsonObject { ["field"] = p.Field, ["rule"] = p.Rule })]),
        ["shortages"] = new JsonArray([.. error.Shortages.Select(s => JsonNode.Parse(ToJson(s)))]),
        ["metadata"] = new JsonObject(error.Metadata.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
    };

    /// <summary>12,345.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>2011-06-30 20:08:00Z.</summary>
    public static string Time(Google.Protobuf.WellKnownTypes.Timestamp? time) =>
        time is null ? "" : time.ToDateTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>1,234.50 GBP: minor units with as many decimals as ISO 4217 gives the currency.</summary>
    public static string Money(long minor, string currency)
    {
        var decimals = currency switch
        {
            "BIF" or "CLP" or "DJF" or "GNF" or "ISK" or "JPY" or "KMF" or "KRW" or "PYG" or "RWF" or "UGX" or "VND" or "VUV" or "XAF" or "XOF" or "XPF" => 0,
            "BHD" or "IQD" or "JOD" or "KWD" or "LYD" or "OMR" or "TND" => 3,
            _ => 2,
        };
        var unit = decimals switch { 0 => 1m, 3 => 1000m, _ => 100m };
        return (minor / unit).ToString("N" + decimals, CultureInfo.InvariantCulture) + " " + currency;
    }

    // The catalogue speaks to those who change something; a read has no request id to speak of.
    private string AdviceFor(OrderEngineError error) => parsed.CommandResult.Command.Options.Any(option => option.Name == "--request-id")
        ? error.Advice
        : error.Advice.Replace(" with the same request id", "", StringComparison.Ordinal).Replace("; the request id may be used again", "", StringComparison.Ordinal);

    private static bool IsUnknown(Google.Protobuf.WellKnownTypes.Any detail) => DetailTypes.Find(Google.Protobuf.WellKnownTypes.Any.GetTypeName(detail.TypeUrl)) is null;

    private OrderEngineClient Connect()
    {
        var retry = new RetrySettings { Budget = RetryFor };
        try
        {
            return new OrderEngineClient(Address, new OrderEngineClientOptions
            {
                Retry = retry,
                WatchRetry = retry,
                Credential = Credential(),
                CaFile = parsed.GetValue(Globals.Ca) ?? Environment.GetEnvironmentVariable("ORDERENGINE_CA"),
                ClientCertificateFile = parsed.GetValue(Globals.ClientCertificate),
                Actor = Actor,
            });
        }
        catch (ArgumentException wrong) when (wrong.ParamName == "address")
        {
            throw new UsageException($"--address: '{Address}' is not an address. Write http://HOST:PORT, such as {OrderEngineClient.DefaultAddress}.");
        }
        catch (ArgumentException wrong) when (wrong.ParamName == "options")
        {
            throw new UsageException(wrong.Message);
        }
    }

    // From a file it is read for every call, so that a rotated one is used at once.
    private Func<string>? Credential()
    {
        if (parsed.GetValue(Globals.Credential) is { } file) return () => File.ReadAllText(file).Trim();
        return Environment.GetEnvironmentVariable("ORDERENGINE_CREDENTIAL") is { Length: > 0 } text ? () => text : null;
    }
}
