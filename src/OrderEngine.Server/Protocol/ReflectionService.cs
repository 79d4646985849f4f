// Server reflection (proto/grpc/reflection) in both of its versions. Stateless; one stream a thread. Where it is served is
// the composition's choice: it shows the contract, and nothing of the data.

using Google.Protobuf;
using Grpc.Core;
using V1 = OrderEngine.Contracts.Grpc.Reflection.V1;
using V1Alpha = OrderEngine.Contracts.Grpc.Reflection.V1Alpha;

namespace OrderEngine.Server.Protocol;

/// <summary>Server reflection, version 1: tells grpcurl and its like which services there are and what their messages look like.</summary>
public sealed class ReflectionService(ReflectionIndex index) : V1.ServerReflection.ServerReflectionBase
{
    /// <summary>Answers each request by one response, in order, until the client has no more.</summary>
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<V1.ServerReflectionRequest> requestStream,
        IServerStreamWriter<V1.ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        var session = new ReflectionSession(index);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
            await responseStream.WriteAsync(session.Answer(request), context.CancellationToken);
    }
}

/// <summary>Server reflection as it was before version 1: the same messages under another name, for older clients.</summary>
public sealed class ReflectionV1AlphaService(ReflectionIndex index) : V1Alpha.ServerReflection.ServerReflectionBase
{
    /// <summary>Answers as version 1 does. The two versions are equal on the wire, so bytes are all that is carried over.</summary>
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<V1Alpha.ServerReflectionRequest> requestStream,
        IServerStreamWriter<V1Alpha.ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        var session = new ReflectionSession(index);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            var answer = session.Answer(V1.ServerReflectionRequest.Parser.ParseFrom(request.ToByteString()));
            var response = V1Alpha.ServerReflectionResponse.Parser.ParseFrom(answer.ToByteString());
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }
}
