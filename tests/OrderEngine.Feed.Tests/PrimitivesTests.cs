// The small types of gRPC that the stand-ins bring: each does what the real one does.

using System.Buffers;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Xunit;

namespace OrderEngine.Feed.Tests;

public class PrimitivesTests
{
    [Fact]
    public void The_codes_have_the_protocols_numbers()
    {
        string[] names =
        [
            "OK", "Cancelled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
            "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable",
            "DataLoss", "Unauthenticated",
        ];
        Assert.Equal(names, Enum.GetValues<StatusCode>().Select(c => c.ToString()));
        Assert.Equal(Enumerable.Range(0, 17), Enum.GetValues<StatusCode>().Select(c => (int)c));
    }

    [Fact]
    public void A_status_says_code_text_and_cause()
    {
        var cause = new InvalidOperationException("why");
        var status = new Status(StatusCode.Aborted, "again", cause);
        Assert.Equal((StatusCode.Aborted, "again", cause), (status.StatusCode, status.Detail, status.DebugException));
        Assert.Equal("Status(Aborted: \"again\", caused by System.InvalidOperationException: why)", status.ToString());
        Assert.Equal("Status(OK: \"\")", Status.DefaultSuccess.ToString());
        Assert.Equal(StatusCode.Cancelled, Status.DefaultCancelled.StatusCode);
    }

    [Fact]
    public void An_exception_carries_status_and_trailers()
    {
        var cause = new InvalidOperationException("why");
        var trailers = new Metadata { { "k", "v" } };
        var exception = new RpcException(new Status(StatusCode.NotFound, "gone", cause), trailers);
        Assert.Equal(StatusCode.NotFound, exception.StatusCode);
        Assert.Same(trailers, exception.Trailers);
        Assert.Same(cause, exception.InnerException);
        Assert.Contains("gone", exception.Message, StringComparison.Ordinal);
        Assert.Equal("text", new RpcException(Status.DefaultCancelled, "text").Message);
        Assert.Empty(new RpcException(Status.DefaultCancelled).Trailers);
        Assert.Throws<ArgumentNullException>("trailers", () => new RpcException(Status.DefaultCancelled, (Metadata)null!));
    }

    [Fact]
    public void Options_are_changed_in_a_copy()
    {
        using var source = new CancellationTokenSource();
        var deadline = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var credentials = CallCredentials.FromInterceptor((_, _) => Task.CompletedTask);
        var headers = new Metadata();
        var write = new WriteOptions(WriteFlags.NoCompress);
        var none = new CallOptions();
        var all = none.WithHeaders(headers).WithDeadline(deadline).WithCancellationToken(source.Token)
            .WithCredentials(credentials).WithWriteOptions(write).WithWaitForReady();

        Assert.Equal(default, none);
        Assert.Same(headers, all.Headers);
        Assert.Equal(deadline, all.Deadline);
        Assert.Equal(source.Token, all.CancellationToken);
        Assert.Same(credentials, all.Credentials);
        Assert.Same(write, all.WriteOptions);
        Assert.True(all.IsWaitForReady);
        Assert.Equal(all.WithWaitForReady(false), new CallOptions(headers, deadline, source.Token, write, null, credentials));
    }

    [Fact]
    public void A_marshaller_over_arrays_works_over_contexts_too()
    {
        var marshaller = Marshallers.Create(s => s.Select(c => (byte)c).ToArray(), b => string.Concat(b.Select(x => (char)x)));
        var context = new ArraySerialization();
        marshaller.ContextualSerializer("abc", context);
        Assert.Equal("abc"u8.ToArray(), context.Payload);
        Assert.Equal("abc", marshaller.ContextualDeserializer(new ArrayDeserialization("abc"u8.ToArray())));
        Assert.Equal("abc", marshaller.Deserializer(marshaller.Serializer("abc")));
    }

    [Fact]
    public void A_marshaller_over_contexts_refuses_arrays()
    {
        var marshaller = Marshallers.Create<string>((_, context) => context.Complete([1]), _ => "x");
        var context = new ArraySerialization();
        marshaller.ContextualSerializer("abc", context);
        Assert.Equal([1], context.Payload);
        Assert.Throws<NotSupportedException>(() => marshaller.Serializer("abc"));
        Assert.Throws<NotSupportedException>(() => marshaller.Deserializer([1]));
        Assert.Throws<NotSupportedException>(() => context.GetBufferWriter());
        Assert.Throws<NotSupportedException>(() => new ArrayDeserialization([]).PayloadAsReadOnlySequence());
        Assert.Throws<ArgumentNullException>(() => Marshallers.Create<string>(null!, (byte[] _) => ""));
    }

    [Fact]
    public void A_methods_path_is_service_and_name()
    {
        var bytes = Marshallers.Create<byte[]>(b => b, b => b);
        var method = new Method<byte[], byte[]>(MethodType.DuplexStreaming, "package.Service", "Name", bytes, bytes);
        Assert.Equal("/package.Service/Name", method.FullName);
        Assert.Equal(MethodType.DuplexStreaming, method.Type);
        Assert.Throws<ArgumentNullException>(() => new Method<byte[], byte[]>(MethodType.Unary, null!, "n", bytes, bytes));
    }

    [Fact]
    public void Call_credentials_show_their_kind_to_the_transport()
    {
        AsyncAuthInterceptor interceptor = (_, metadata) =>
        {
            metadata.Add("authorization", "Bearer x");
            return Task.CompletedTask;
        };
        var seen = new CallCredentialsSeen();
        var one = CallCredentials.FromInterceptor(interceptor);
        one.InternalPopulateConfiguration(seen, "state");
        Assert.Equal(("state", interceptor), (seen.State, seen.Interceptor));

        CallCredentials.Compose(one, one).InternalPopulateConfiguration(seen, "more");
        Assert.Equal("more", seen.State);
        Assert.Equal([one, one], seen.Parts!);
        Assert.Throws<ArgumentException>(() => CallCredentials.Compose(one));
        Assert.Throws<ArgumentException>(() => CallCredentials.Compose(one, null!));
        Assert.Throws<ArgumentNullException>(() => CallCredentials.FromInterceptor(null!));
    }

    [Fact]
    public void Channel_credentials_show_their_kind_to_the_transport()
    {
        var seen = new ChannelCredentialsSeen();
        ChannelCredentials.Insecure.InternalPopulateConfiguration(seen, null);
        var pair = new KeyCertificatePair("chain", "key");
        new SslCredentials("roots", pair).InternalPopulateConfiguration(seen, null);
        var call = CallCredentials.FromInterceptor((_, _) => Task.CompletedTask);
        ChannelCredentials.Create(ChannelCredentials.SecureSsl, call).InternalPopulateConfiguration(seen, null);
        Assert.Equal(["insecure", "ssl roots chain", "composite True True"], seen.Kinds(call));
    }

    [Fact]
    public void A_stream_that_cannot_cancel_a_write_says_so()
    {
        IAsyncStreamWriter<string> writer = new PlainWriter();
        using var source = new CancellationTokenSource();
        Assert.True(writer.WriteAsync("x", CancellationToken.None).IsCompletedSuccessfully);
        Assert.Throws<NotSupportedException>(() => { _ = writer.WriteAsync("x", source.Token); });
    }

    [Fact]
    public void A_definition_replays_its_methods_into_a_binder()
    {
        var bytes = Marshallers.Create<byte[]>(b => b, b => b);
        var method = new Method<byte[], byte[]>(MethodType.Unary, "s", "m", bytes, bytes);
        UnaryServerMethod<byte[], byte[]> handler = (request, _) => Task.FromResult(request);
        var definition = ServerServiceDefinition.CreateBuilder().AddMethod(method, handler).Build();
        var binder = new UnaryBinder();
        definition.BindService(binder);
        Assert.Equal([(method, handler)], binder.Bound);
        Assert.Throws<NotSupportedException>(() => ServerServiceDefinition.CreateBuilder()
            .AddMethod(method, (IAsyncStreamReader<byte[]> _, ServerCallContext _) => Task.FromResult(Array.Empty<byte>()))
            .Build().BindService(binder));
    }

    [Fact]
    public void A_client_without_a_channel_cannot_call() =>
        Assert.Throws<InvalidOperationException>(() => new BytesClient().Invoker);

    [Fact]
    public async Task Interceptors_run_in_order_and_the_host_of_the_client_is_used()
    {
        var log = new List<string>();
        var invoker = new RecordingInvoker(log).Intercept(new Naming("outer", log), new Naming("inner", log))
            .Intercept(headers => new Metadata { { "added", (headers.Count + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) } });
        var client = new BytesClient(invoker).WithHost("first").WithHost("host");
        var bytes = Marshallers.Create<byte[]>(b => b, b => b);
        var method = new Method<byte[], byte[]>(MethodType.Unary, "s", "m", bytes, bytes);
        var response = await client.Invoker.AsyncUnaryCall(method, null, default, [1]);
        Assert.Equal([1], response);
        Assert.Equal(["outer", "inner", "host added: 1"], log);
    }

    private sealed class ArraySerialization : SerializationContext
    {
        public byte[]? Payload { get; private set; }

        public override void Complete(byte[] payload) => Payload = payload;
    }

    private sealed class ArrayDeserialization(byte[] payload) : DeserializationContext
    {
        public override int PayloadLength => payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload;
    }

    private sealed class CallCredentialsSeen : CallCredentialsConfiguratorBase
    {
        public object? State { get; private set; }

        public AsyncAuthInterceptor? Interceptor { get; private set; }

        public IReadOnlyList<CallCredentials>? Parts { get; private set; }

        public override void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials) =>
            (State, Parts) = (state, credentials);

        public override void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor) =>
            (State, Interceptor) = (state, interceptor);
    }

    private sealed class ChannelCredentialsSeen : ChannelCredentialsConfiguratorBase
    {
        private readonly List<Func<CallCredentials, string>> _kinds = [];

        public IEnumerable<string> Kinds(CallCredentials call) => _kinds.Select(k => k(call));

        public override void SetInsecureCredentials(object? state) => _kinds.Add(_ => "insecure");

        public override void SetSslCredentials(
            object? state, string? rootCertificates, KeyCertificatePair? keyCertificatePair, VerifyPeerCallback? verifyPeerCallback) =>
            _kinds.Add(_ => $"ssl {rootCertificates} {keyCertificatePair?.CertificateChain}");

        public override void SetCompositeCredentials(object? state, ChannelCredentials channelCredentials, CallCredentials callCredentials) =>
            _kinds.Add(call => $"composite {channelCredentials == ChannelCredentials.SecureSsl} {callCredentials == call}");
    }

    private sealed class PlainWriter : IAsyncStreamWriter<string>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(string message) => Task.CompletedTask;
    }

    private sealed class UnaryBinder : ServiceBinderBase
    {
        public List<(object Method, object? Handler)> Bound { get; } = [];

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) => Bound.Add((method, handler));
    }

    private sealed class BytesClient : ClientBase<BytesClient>
    {
        public BytesClient() { }

        public BytesClient(CallInvoker invoker) : base(invoker) { }

        private BytesClient(ClientBaseConfiguration configuration) : base(configuration) { }

        public CallInvoker Invoker => CallInvoker;

        protected override BytesClient NewInstance(ClientBaseConfiguration configuration) => new(configuration);
    }

    private sealed class Naming(string name, List<string> log) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            log.Add(name);
            return continuation(request, context);
        }
    }

    private sealed class RecordingInvoker(List<string> log) : CallInvoker
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            log.Add($"{host} {options.Headers![0]}");
            return new(Task.FromResult((TResponse)(object)request), Task.FromResult(new Metadata()),
                () => Status.DefaultSuccess, () => Metadata.Empty, () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
    }
}
