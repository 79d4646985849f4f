// The context of a call that comes from the test itself, not over a socket.

using Grpc.Core;

namespace OrderEngine.Server.Tests.Abuse;

internal sealed class DirectCall(string method) : ServerCallContext, IDisposable
{
    // An endless stream that has nothing to say is left after this long. Only to get on: nothing is judged by it.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _left = new();

    /// <summary>Its deadline.</summary>
    public DateTime Ends { get; init; } = DateTime.MaxValue;

    /// <summary>The caller leaves.</summary>
    public void Leave() => _left.Cancel();

    /// <summary>The caller leaves if nothing comes.</summary>
    public void LeaveWhenIdle() => _left.CancelAfter(Patience);

    public void Dispose() => _left.Dispose();

    protected override string MethodCore => method;
    protected override string HostCore => "test";
    protected override string PeerCore => "ipv4:127.0.0.1:1";
    protected override DateTime DeadlineCore => Ends;
    protected override Metadata RequestHeadersCore { get; } = [];
    protected override CancellationToken CancellationTokenCore => _left.Token;
    protected override Metadata ResponseTrailersCore { get; } = [];
    protected override Status StatusCore { get; set; }
    protected override WriteOptions? WriteOptionsCore { get; set; }
    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
