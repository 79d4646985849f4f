// Owns a server that takes any call: it keeps the messages and answers a single call with an empty message, a stream with UNIMPLEMENTED.
using System.Buffers.Binary;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

/// <summary>A running server that answers nothing of use.</summary>
internal sealed class CallRecorder : IAsyncDisposable
{
    private const int FrameHead = 5;

    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private readonly List<(MethodDescriptor Rpc, IReadOnlyList<IMessage> Requests)> _calls = [];

    private CallRecorder(WebApplication app) => _app = app;

    /// <summary>Every rpc of the contract, by its name.</summary>
    public static IReadOnlyDictionary<string, MethodDescriptor> Contract { get; } = typeof(Order).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(Order).Namespace && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .SelectMany(type => ((FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!).Services).SelectMany(service => service.Methods)
        .ToDictionary(rpc => rpc.Name);

    public string Address { get; private set; } = "";

    public static async Task<CallRecorder> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLoopback(0, listen => listen.Protocols = HttpProtocols.Http2));
        var recorder = new CallRecorder(builder.Build());
        recorder._app.Run(recorder.TakeAsync);
        await recorder._app.StartAsync();
        recorder.Address = recorder._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return recorder;
    }

    /// <summary>What came since the last time.</summary>
    public IReadOnlyList<(MethodDescriptor Rpc, IReadOnlyList<IMessage> Requests)> Taken()
    {
        lock (_gate)
        {
            var taken = _calls.ToArray();
            _calls.Clear();
            return taken;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext call)
    {
        var rpc = Contract[call.Request.Path.Value!.Split('/')[^1]];
        call.Response.ContentType = "application/grpc";
        // A stream both ways may stay open until it is answered: its messages are not waited for.
        if (rpc is { IsClientStreaming: true, IsServerStreaming: true })
        {
            Keep(rpc, []);
            call.Response.AppendTrailer("grpc-status", "12");
            return;
        }

        using var body = new MemoryStream();
        await call.Request.Body.CopyToAsync(body, call.RequestAborted);
        Keep(rpc, Messages(rpc, body.ToArray()));
        if (!rpc.IsServerStreaming)
            await call.Response.Body.WriteAsync(new byte[FrameHead], call.RequestAborted);
        call.Response.AppendTrailer("grpc-status", rpc.IsServerStreaming ? "12" : "0");
    }

    private void Keep(MethodDescriptor rpc, IReadOnlyList<IMessage> requests)
    {
        lock (_gate)
            _calls.Add((rpc, requests));
    }

    private static List<IMessage> Messages(MethodDescriptor rpc, ReadOnlySpan<byte> body)
    {
        var messages = new List<IMessage>();
        while (body.Length > 0)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body[1..]);
            messages.Add(rpc.InputType.Parser.ParseFrom(body.Slice(FrameHead, length)));
            body = body[(FrameHead + length)..];
        }

        return messages;
    }
}
