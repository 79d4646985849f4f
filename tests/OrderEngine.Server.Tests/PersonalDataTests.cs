// Personal data: marked in the contract, and nowhere but where it belongs: not in files, metrics, log lines, nor in what a buyer tracks.

using System.Reflection;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class PersonalDataTests
{
    // Words that name something of a person, and the messages in which they name something else.
    private static readonly string[] Words = ["name", "phone", "email", "address", "address_lines", "city", "postal_code", "country_code", "note", "text", "comment"];
    private static readonly string[] Goods = ["Sku", "Location", "Channel", "ReviewRule"];

    [Fact]
    public void Every_field_that_can_hold_something_of_a_person_is_marked()
    {
        var unmarked = Contract.Services.SelectMany(service => service.Methods).SelectMany(rpc => Fields(rpc.InputType).Concat(Fields(rpc.OutputType))).Distinct()
            .Where(field => field.FieldType == FieldType.String && Words.Contains(field.Name) && !Goods.Contains(field.ContainingType.Name) && !IsPersonal(field))
            .Select(field => field.FullName).ToList();
        Assert.True(unmarked.Count == 0, $"Mark with [(personal) = true], or say in this test what they name: {string.Join(", ", unmarked)}");
        Assert.All(PersonalDetails.Descriptor.Fields.InDeclarationOrder(), field => Assert.True(IsPersonal(field), field.FullName));
    }

    [Fact]
    public void What_a_buyer_tracks_holds_nothing_of_a_person()
    {
        Assert.DoesNotContain(Fields(OrderTracking.Descriptor), IsPersonal);
        Assert.Contains(Fields(Order.Descriptor), IsPersonal);
    }

    [Fact]
    public void No_log_line_takes_more_than_numbers_times_and_texts_of_our_own()
    {
        Type[] allowed = [typeof(ILogger), typeof(string), typeof(int), typeof(long), typeof(ulong), typeof(double), typeof(bool), typeof(DateTime), typeof(TimeSpan), typeof(Exception)];
        var lines = new[] { typeof(ServerLog).Assembly, typeof(Engine.Engine).Assembly }.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null).ToList();
        Assert.True(lines.Count > 10);
        Assert.All(lines, line => Assert.All(line.GetParameters(), parameter => Assert.True(allowed.Contains(parameter.ParameterType) || parameter.ParameterType.IsEnum,
            $"{line.Name}: {parameter.Name} is a {parameter.ParameterType.Name}")));
    }

    [Fact]
    public async Task Nothing_of_a_person_stands_in_any_file_in_the_metrics_or_in_an_answer_that_was_not_asked_for_it()
    {
        var log = new Lines();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(log));
        await Shop.OpenAsync(server);
        string[] secrets = ["Zsuzsanna Quillfeather", "+44 1632 960123", "zq@quillfeather.example", "17 Thistledown Mews", "leave it with the Okonkwos"];
        var details = new PersonalDetails { Name = secrets[0], Phone = secrets[1], Email = secrets[2], AddressLines = { secrets[3] }, Note = secrets[4] };
        await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "Q1", Details = details } });
        var draft = Shop.Draft();
        draft.CustomerId = "Q1";
        draft.Delivery = details;
        var order = await server.Orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = draft });
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());

        // It is there for who asks for it, and the search would find it.
        var read = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });
        Assert.All(secrets, secret => Assert.Contains(secret, read.ToString(), StringComparison.Ordinal));

        using var http = new HttpClient();
        string[] answers =
        [
            (await server.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = order.OrderId })).ToString(), order.ToString(),
            (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).ToString(),
            (await server.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "Q1" })).ToString(),
            await http.GetStringAsync(new Uri(server.MetricsAddress)), log.Text,
        ];
        Assert.All(secrets, secret => Assert.All(answers, answer => Assert.DoesNotContain(secret, answer, StringComparison.Ordinal)));

        var data = server.DataDirectory;
        var files = 0;
        foreach (var file in Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            files++;
            var bytes = await ReadAsync(file);
            Assert.All(secrets, secret => Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, $"{file} holds '{secret}'."));
        }
        Assert.True(files >= 4, "Journal, snapshot and keys were not all looked at.");
    }

    [Fact]
    public async Task What_any_rpc_is_told_of_a_person_is_in_no_log_line_metric_or_file_nor_in_an_answer_that_was_not_asked_for_it()
    {
        var log = new Lines();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(log).Configure<LoggerFilterOptions>(filter =>
        {
            filter.Rules.Clear();
            filter.MinLevel = LogLevel.Trace;
        }));
        await Shop.OpenAsync(server);
        var things = await Things.WithReturnAsync(server.Invoker, "WEB");
        var told = new List<string>();
        var served = new List<string>();
        foreach (var rpc in AnyRpc.All.Where(rpc => Fields(rpc.InputType).Any(IsPersonal)))
        {
            var request = Requests.Make(rpc.InputType, Naming(rpc), things, things, Shop.NewId());
            Mark(request, told);
            foreach (var draft in Drafts(request)) draft.ExternalOrderId = Shop.NewId("x");
            if (request is AmendOrderRequest amend) amend.UpdateMask.Paths[0] = "delivery";
            if (request is UpsertCustomerRequest upsert) upsert.Customer.CustomerId = "P1";
            if (request is ResolveComplaintRequest resolve) resolve.ReturnId = "";
            var answer = await AnyRpc.CallAsync(server.Invoker, rpc, request);
            if (answer.IsServed) served.Add(rpc.Name);
            Assert.DoesNotContain(told, word => $"{answer.Details} {answer.First}".Contains(word, StringComparison.Ordinal));
        }
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(server.MetricsAddress));

        Assert.True(served.Intersect(["SubmitOrder", "BulkSubmitOrders", "UpsertCustomer", "AmendOrder", "AddNote", "OpenComplaint", "ResolveComplaint"]).Count() == 7, string.Join(", ", served));
        Assert.True(told.Count > 40, $"Only {told.Count} fields were filled.");
        Assert.Contains("SubmitOrder", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(told, word => log.Text.Contains(word, StringComparison.Ordinal));
        Assert.DoesNotContain(told, word => metrics.Contains(word, StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(server.DataDirectory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            var bytes = await ReadAsync(file);
            Assert.DoesNotContain(told, word => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(word)) >= 0);
        }
    }

    private static string Naming(MethodDescriptor rpc) =>
        rpc.InputType.Fields.InDeclarationOrder().FirstOrDefault(field => field.Name is "order_id" or "complaint_id" or "reservation_id")?.Name ?? "";

    // Every personal text gets a word that stands nowhere else; a country is two letters, and cannot.
    private static void Mark(IMessage message, List<string> told)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (IsPersonal(field) && field.Name != "country_code")
            {
                told.Add($"Quzzle{told.Count}wug");
                if (field.IsRepeated) ((System.Collections.IList)field.Accessor.GetValue(message)).Add(told[^1]);
                else field.Accessor.SetValue(message, told[^1]);
            }
            else if (field.FieldType == FieldType.Message && (Fields(field.MessageType).Any(IsPersonal)) && field.MessageType.File.Package == "orderengine.v1")
            {
                var list = field.IsRepeated ? (System.Collections.IList)field.Accessor.GetValue(message) : null;
                if (list is { Count: 0 }) list.Add(field.MessageType.Parser.ParseFrom(ByteString.Empty));
                if (list is null && field.Accessor.GetValue(message) is null) field.Accessor.SetValue(message, field.MessageType.Parser.ParseFrom(ByteString.Empty));
                foreach (var inner in list?.Cast<IMessage>() ?? [(IMessage)field.Accessor.GetValue(message)]) Mark(inner, told);
            }
        }
    }

    // Each order needs an external id of its own.
    private static IEnumerable<OrderDraft> Drafts(IMessage request) => request switch
    {
        SubmitOrderRequest submit => [submit.Order],
        CommitReservationRequest commit => [commit.Order],
        BulkSubmitOrdersRequest bulk => bulk.Requests.Select(one => one.Order),
        StreamSubmitOrdersRequest stream => stream.Orders.Select(one => one.Request.Order),
        _ => [],
    };

    private static bool IsPersonal(FieldDescriptor field) => field.GetOptions()?.GetExtension(CommonExtensions.Personal) ?? false;

    private static IEnumerable<FieldDescriptor> Fields(MessageDescriptor message, HashSet<MessageDescriptor>? seen = null)
    {
        seen ??= [];
        if (!seen.Add(message) || message.File.Package != "orderengine.v1") yield break;
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            yield return field;
            if (field.FieldType != FieldType.Message) continue;
            foreach (var inner in Fields(field.MessageType, seen)) yield return inner;
        }
    }

    private static async Task<byte[]> ReadAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await file.CopyToAsync(copy);
        return copy.ToArray();
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly StringBuilder _text = new();

        public string Text
        {
            get
            {
                lock (_text) return _text.ToString();
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose() => _text.Length = 0;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_text) _text.AppendLine(formatter(state, exception));
        }
    }
}
