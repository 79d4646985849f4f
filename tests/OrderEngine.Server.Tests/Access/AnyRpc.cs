// Calls any rpc of the contract by its descriptor, with bytes as messages: so that a test covers rpcs that did not exist when it was written.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace OrderEngine.Server.Tests.Access;

/// <summary>How a call ended: its status and details, and, when it was served, the first message.</summary>
internal sealed record Answer(StatusCode Code, string Reason, string Details, string First)
{
    public bool IsServed => Code == StatusCode.OK;
}

internal static class AnyRpc
{
    // The details of a status travel as Any: the formatter must know the types that stand in one.
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithTypeRegistry(
        TypeRegistry.FromFiles(Google.Rpc.ErrorDetailsReflection.Descriptor, Contracts.V1.ErrorsReflection.Descriptor)));

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    /// <summary>Every rpc of every service of the contract.</summary>
    public static IEnumerable<MethodDescriptor> All => Contract.Services.SelectMany(service => service.Methods);

    /// <summary>Calls with one message, and reads at most one: an endless stream that begins is one that is served.</summary>
    public static async Task<Answer> CallAsync(CallInvoker invoker, MethodDescriptor rpc, IMessage request)
    {
        var method = new Method<byte[], byte[]>(TypeOf(rpc), rpc.Service.FullName, rpc.Name, Bytes, Bytes);
        var options = new CallOptions(deadline: DateTime.UtcNow.AddMinutes(2));
        try
        {
            var bytes = request.ToByteArray();
            switch (method.Type)
            {
                case MethodType.Unary:
                    return Served(rpc, await invoker.AsyncUnaryCall(method, null, options, bytes));
                case MethodType.ServerStreaming:
                    using (var call = invoker.AsyncServerStreamingCall(method, null, options, bytes))
                        return Served(rpc, await call.ResponseStream.MoveNext(default) ? call.ResponseStream.Current : []);
                case MethodType.ClientStreaming:
                    using (var call = invoker.AsyncClientStreamingCall(method, null, options))
                    {
                        await SendAsync(call.RequestStream, bytes);
                        return Served(rpc, await call);
                    }
                default:
                    using (var call = invoker.AsyncDuplexStreamingCall(method, null, options))
                    {
                        await SendAsync(call.RequestStream, bytes);
                        return Served(rpc, await call.ResponseStream.MoveNext(default) ? call.ResponseStream.Current : []);
                    }
            }
        }
        catch (RpcException refused)
        {
            var details = Google.Rpc.Status.Parser.ParseFrom(refused.Trailers.GetValueBytes("grpc-status-details-bin") ?? []);
            return new Answer(refused.StatusCode, Kit.Refusal.Of(refused).Reason, Json.Format(details), "");
        }
    }

    // A call that was refused does not take the message; why is told by the answer.
    private static async Task SendAsync(IClientStreamWriter<byte[]> requests, byte[] bytes)
    {
        try
        {
            await requests.WriteAsync(bytes);
            await requests.CompleteAsync();
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException)
        {
            return;
        }
    }

    private static Answer Served(MethodDescriptor rpc, byte[] message) =>
        new(StatusCode.OK, "", "", message.Length == 0 ? "" : Json.Format(rpc.OutputType.Parser.ParseFrom(message)));

    private static MethodType TypeOf(MethodDescriptor rpc) => (rpc.IsClientStreaming, rpc.IsServerStreaming) switch
    {
        (false, false) => MethodType.Unary,
        (true, false) => MethodType.ClientStreaming,
        (false, true) => MethodType.ServerStreaming,
        _ => MethodType.DuplexStreaming,
    };
}
