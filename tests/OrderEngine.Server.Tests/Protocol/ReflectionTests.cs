// Server reflection over a socket, in both versions, asked about a small contract that the test makes up.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Contracts.Grpc.Reflection.V1;
using OrderEngine.Server.Protocol;
using Xunit;
using V1Alpha = OrderEngine.Contracts.Grpc.Reflection.V1Alpha;

namespace OrderEngine.Server.Tests.Protocol;

/// <summary>One server for all tests of the class: reflection keeps no state beyond a stream.</summary>
public sealed class ReflectionServer : IAsyncLifetime
{
    internal ProtocolHost Host { get; private set; } = null!;

    public async Task InitializeAsync() =>
        Host = await ProtocolHost.Start(new HealthStatus(), [.. Shop.Services, Health.Descriptor, ServerReflection.Descriptor]);

    public async Task DisposeAsync() => await Host.DisposeAsync();
}

public sealed class ReflectionTests : IClassFixture<ReflectionServer>, IDisposable
{
    private readonly ProtocolHost _host;
    private readonly AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> _stream;

    public ReflectionTests(ReflectionServer server)
    {
        _host = server.Host;
        _stream = new ServerReflection.ServerReflectionClient(_host.Channel).ServerReflectionInfo();
    }

    public void Dispose() => _stream.Dispose();

    [Fact]
    public async Task The_services_are_listed_once_each_in_order()
    {
        var answer = await Ask(new() { Host = "h", ListServices = "*" });
        Assert.Equal(["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "shop.Orders", "shop.Stock"],
            answer.ListServicesResponse.Service.Select(s => s.Name));
        Assert.Equal("h", answer.ValidHost);
        Assert.Equal(new ServerReflectionRequest { Host = "h", ListServices = "*" }, answer.OriginalRequest);
    }

    [Fact]
    public async Task A_file_comes_first_and_its_imports_once_a_stream()
    {
        Assert.Equal(["orders.proto", "line.proto", "money.proto", "open.proto"], await Files(new() { FileByFilename = "orders.proto" }));
        Assert.Equal(["stock.proto"], await Files(new() { FileByFilename = "stock.proto" }));
        Assert.Equal(["line.proto"], await Files(new() { FileByFilename = "line.proto" }));

        using var other = new ServerReflection.ServerReflectionClient(_host.Channel).ServerReflectionInfo();
        Assert.Equal(["stock.proto", "line.proto", "money.proto"], await Files(new() { FileByFilename = "stock.proto" }, other));
    }

    [Fact]
    public async Task The_files_build_into_the_contract_again()
    {
        var answer = await Ask(new() { FileContainingSymbol = "shop.Orders" });
        var sent = answer.FileDescriptorResponse.FileDescriptorProto;
        var built = FileDescriptor.BuildFromByteStrings(sent.OrderBy(f => Shop.Position(Name(f))));
        Assert.Equal("shop.Line", built.Single(f => f.Name == "orders.proto").Services[0].Methods[0].InputType.FullName);
    }

    [Theory]
    [InlineData("shop.Orders", "orders.proto")]
    [InlineData("shop.Orders.Submit", "orders.proto")]
    [InlineData("shop.Stock", "stock.proto")]
    [InlineData("shop.Line", "line.proto")]
    [InlineData("shop.Line.price", "line.proto")]
    [InlineData("shop.Line.kind", "line.proto")]
    [InlineData("shop.Line.Inner", "line.proto")]
    [InlineData("shop.Line.State", "line.proto")]
    [InlineData("shop.Line.OPEN", "line.proto")]
    [InlineData("shop.Currency", "money.proto")]
    [InlineData("shop.EUR", "money.proto")]
    [InlineData("shop.note", "open.proto")]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto")]
    public async Task A_symbol_leads_to_the_file_that_declares_it(string symbol, string file) =>
        Assert.Equal(file, (await Files(new() { FileContainingSymbol = symbol }))[0]);

    [Theory]
    [InlineData("shop.Nothing")]
    [InlineData("shop")]
    [InlineData("")]
    [InlineData("shop.Line.State.OPEN")]
    public async Task An_unknown_symbol_is_NOT_FOUND_and_the_stream_goes_on(string symbol)
    {
        await NotFound(new() { FileContainingSymbol = symbol });
        Assert.Equal("money.proto", (await Files(new() { FileByFilename = "money.proto" }))[0]);
    }

    [Fact]
    public async Task An_unknown_file_is_NOT_FOUND() => await NotFound(new() { FileByFilename = "absent.proto" });

    [Fact]
    public async Task Extensions_are_found_by_number_and_listed()
    {
        Assert.Equal("open.proto", (await Files(Extension("shop.Open", 100)))[0]);
        await NotFound(Extension("shop.Open", 102));
        await NotFound(Extension("shop.Line", 100));
        await NotFound(Extension("shop.Nothing", 100));

        var numbers = (await Ask(new() { AllExtensionNumbersOfType = "shop.Open" })).AllExtensionNumbersResponse;
        Assert.Equal("shop.Open", numbers.BaseTypeName);
        Assert.Equal([100, 101], numbers.ExtensionNumber);
        var none = (await Ask(new() { AllExtensionNumbersOfType = "shop.Line" })).AllExtensionNumbersResponse;
        Assert.Equal("shop.Line", none.BaseTypeName);
        Assert.Empty(none.ExtensionNumber);
        await NotFound(new() { AllExtensionNumbersOfType = "shop.Nothing" });
        await NotFound(new() { AllExtensionNumbersOfType = "shop.Currency" });

        static ServerReflectionRequest Extension(string type, int number) =>
            new() { FileContainingExtension = new() { ContainingType = type, ExtensionNumber = number } };
    }

    [Fact]
    public async Task A_request_without_a_question_is_INVALID_ARGUMENT()
    {
        var answer = await Ask(new());
        Assert.Equal((int)StatusCode.InvalidArgument, answer.ErrorResponse.ErrorCode);
        Assert.NotEmpty(answer.ErrorResponse.ErrorMessage);
    }

    [Fact]
    public async Task The_stream_ends_with_the_clients_last_request()
    {
        await Ask(new() { ListServices = "" });
        await _stream.RequestStream.CompleteAsync();
        Assert.False(await _stream.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.OK, _stream.GetStatus().StatusCode);
    }

    [Fact]
    public async Task The_older_version_answers_the_same()
    {
        using var older = new V1Alpha.ServerReflection.ServerReflectionClient(_host.Channel).ServerReflectionInfo();
        ServerReflectionRequest[] questions =
        [
            new() { ListServices = "*" }, new() { Host = "h", FileContainingSymbol = "shop.Stock" }, new() { FileByFilename = "orders.proto" },
            new() { AllExtensionNumbersOfType = "shop.Open" }, new() { FileByFilename = "absent.proto" }, new(),
        ];
        foreach (var question in questions)
        {
            await older.RequestStream.WriteAsync(V1Alpha.ServerReflectionRequest.Parser.ParseFrom(question.ToByteString()));
            Assert.True(await older.ResponseStream.MoveNext(default));
            Assert.Equal((await Ask(question)).ToByteString(), older.ResponseStream.Current.ToByteString());
        }
    }

    private Task<ServerReflectionResponse> Ask(ServerReflectionRequest question) => Ask(question, _stream);

    private static async Task<ServerReflectionResponse> Ask(
        ServerReflectionRequest question, AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> stream)
    {
        await stream.RequestStream.WriteAsync(question);
        Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
        return stream.ResponseStream.Current;
    }

    private async Task<List<string>> Files(
        ServerReflectionRequest question, AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse>? stream = null)
    {
        var answer = await Ask(question, stream ?? _stream);
        Assert.Null(answer.ErrorResponse);
        return [.. answer.FileDescriptorResponse.FileDescriptorProto.Select(Name)];
    }

    private async Task NotFound(ServerReflectionRequest question)
    {
        var answer = await Ask(question);
        Assert.Equal((int)StatusCode.NotFound, answer.ErrorResponse?.ErrorCode);
        Assert.NotEmpty(answer.ErrorResponse!.ErrorMessage);
    }

    private static string Name(ByteString file) => FileDescriptorProto.Parser.ParseFrom(file).Name;
}
