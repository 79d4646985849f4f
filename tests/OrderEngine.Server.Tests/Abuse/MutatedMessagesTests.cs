// A million messages that no well-behaved client sends, against every rpc of the contract: sound requests with flipped, lost, doubled and
// foreign bytes, and noise. Each is taken or refused with a reason of the catalogue; none crashes, hangs or is an INTERNAL error.
// The messages go to the services themselves, behind parsing and in front of the engine, many at a time so that they share commits.

using System.Globalization;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Access;
using OrderEngine.Server.Tests.Kit;
using OrderEngine.Server.Wire;
using Xunit.Abstractions;

namespace OrderEngine.Server.Tests.Abuse;

public sealed class MutatedMessagesTests(ITestOutputHelper output)
{
    private const int AtOnce = 512;

    // Rpcs that walk over everything, write files or take many messages get few.
    private const int OfCostly = 50;
    private static readonly HashSet<string> Costly = ["VerifyInvariants", "CreateCheckpoint", "ExportEvents", "ExportOrders", "ImportEvents", "CreateBackup", "SetLogLevel"];

    /// <summary>OE_MUTATIONS for more messages, OE_SEED for another run's.</summary>
    private static readonly int Messages = FromEnvironment("OE_MUTATIONS", 1_000_000);
    private static readonly int Seed = FromEnvironment("OE_SEED", 1);

    [Fact]
    public async Task Every_mutated_message_is_taken_or_refused_with_a_reason()
    {
        output.WriteLine($"OE_SEED={Seed}");
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = (await Shop.OrderAsync(server)).OrderId;
        var hold = (await server.Inventory.CreateReservationAsync(Shop.Reserve())).ReservationId;
        var random = new Random(Seed);
        var messages = new MessageMutator(random, ["WEB", "L1", "L2", "A", "B", "EMPTY", "C1", order, hold, "GBP", "r-1"]);
        var rpcs = AnyRpc.All.Select(rpc => new Target(server, rpc)).ToArray();
        int made = 0, parsed = 0, served = 0;
        while (made < Messages)
        {
            var round = new List<Task<bool>>(AtOnce);
            while (round.Count < AtOnce && made < Messages)
            {
                var target = rpcs[random.Next(rpcs.Length)];
                if (!target.MayCall()) continue;
                made++;
                if (messages.Next(target.Rpc.InputType) is not { } message) continue;
                parsed++;
                round.Add(target.CallAsync(message));
            }
            served += (await Task.WhenAll(round)).Count(taken => taken);
        }
        output.WriteLine($"{made:N0} made, {parsed:N0} were protobuf, {served:N0} were served.");
        // Otherwise the mutations are too wild, or too tame, to meet the checks.
        Assert.InRange(parsed, made / 4, made * 99 / 100);
        Assert.InRange(served, parsed / 1_000, parsed * 9 / 10);
        Assert.All(rpcs, target => Assert.True(target.Calls > 0, $"{target.Rpc.FullName} was never called."));
        var report = await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest());
        Assert.Empty(report.Violations);
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>An rpc and the service method behind it.</summary>
    private sealed class Target
    {
        private readonly object _service;
        private readonly MethodInfo _method;
        private readonly MethodInfo _call;
        private readonly bool _isEncoded;

        public Target(TestServer server, MethodDescriptor rpc)
        {
            Rpc = rpc;
            var type = typeof(Composition).Assembly.GetType($"OrderEngine.Server.Services.{rpc.Service.Name}", throwOnError: true)!;
            _service = server.Service(type);
            _method = type.GetMethod(rpc.Name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)!;
            var shape = (rpc.IsClientStreaming, rpc.IsServerStreaming) switch
            {
                (false, false) => nameof(UnaryAsync),
                (true, false) => nameof(ClientStreamAsync),
                (false, true) => nameof(ServerStreamAsync),
                _ => nameof(DuplexAsync),
            };
            // Services take, or give, the messages of some rpcs as bytes.
            Type[] parameters = [.. _method.GetParameters().Select(one => one.ParameterType)];
            _isEncoded = IsEncoded(parameters[0]);
            var answers = _isEncoded || rpc.IsServerStreaming && IsEncoded(parameters[1]) ? typeof(EncodedMessage) : rpc.OutputType.ClrType;
            _call = typeof(Target).GetMethod(shape, BindingFlags.Instance | BindingFlags.NonPublic)!.MakeGenericMethod(
                _isEncoded ? typeof(EncodedMessage) : rpc.InputType.ClrType, answers);
        }

        private static bool IsEncoded(Type type) => type == typeof(EncodedMessage) || type.GenericTypeArguments.Contains(typeof(EncodedMessage));

        public MethodDescriptor Rpc { get; }

        public int Calls { get; private set; }

        public bool MayCall() => ++Calls <= OfCostly || !Costly.Contains(Rpc.Name) && !Rpc.IsServerStreaming && !Rpc.IsClientStreaming;

        /// <returns>True when it was served, false when it was refused as the catalogue says.</returns>
        public async Task<bool> CallAsync(IMessage message)
        {
            var bytes = message.ToByteArray();
            try
            {
                await (Task)_call.Invoke(this, [_isEncoded ? EncodedMessage.Of(bytes) : message])!;
                return true;
            }
            catch (RpcException refused) when (refused.StatusCode is not (StatusCode.Internal or StatusCode.Unknown) && Refusal.Of(refused).Reason.Length > 0)
            {
                return false;
            }
            catch (OperationCanceledException) when (Rpc.IsServerStreaming)
            {
                // An endless stream was left once it had begun.
                return true;
            }
            catch (Exception broken)
            {
                throw new Xunit.Sdk.XunitException($"{Rpc.FullName} does not take {Convert.ToHexString(bytes)} (OE_SEED={Seed}): {broken}");
            }
        }

        private async Task UnaryAsync<TRequest, TResponse>(TRequest request)
        {
            using var context = new DirectCall(Rpc.FullName);
            await _method.CreateDelegate<Func<TRequest, ServerCallContext, Task<TResponse>>>(_service)(request, context);
        }

        private async Task ServerStreamAsync<TRequest, TResponse>(TRequest request)
        {
            using var context = new DirectCall(Rpc.FullName);
            var responses = new FirstOnly<TResponse>(context);
            var call = _method.CreateDelegate<Func<TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(_service)(request, responses, context);
            context.LeaveWhenIdle();
            await call;
        }

        private async Task ClientStreamAsync<TRequest, TResponse>(TRequest request) where TRequest : class
        {
            using var context = new DirectCall(Rpc.FullName);
            await _method.CreateDelegate<Func<IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(_service)(new One<TRequest>(request), context);
        }

        private async Task DuplexAsync<TRequest, TResponse>(TRequest request) where TRequest : class
        {
            using var context = new DirectCall(Rpc.FullName);
            var call = _method.CreateDelegate<Func<IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(_service);
            await call(new One<TRequest>(request), new FirstOnly<TResponse>(null), context);
        }
    }

    /// <summary>A client's stream of one message.</summary>
    private sealed class One<T>(T message) : IAsyncStreamReader<T> where T : class
    {
        private int _reads;

        public T Current => message;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(_reads++ == 0);
    }

    /// <summary>Reads nothing; leaves the call when its first message comes.</summary>
    private sealed class FirstOnly<T>(DirectCall? leaves) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message)
        {
            leaves?.Leave();
            return Task.CompletedTask;
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);
    }
}
