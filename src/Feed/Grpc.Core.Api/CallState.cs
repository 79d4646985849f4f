// What the four kinds of call share. Generated code and Grpc.Net.Client hand the parts over either as closures or as
// static functions over one state object (which saves the closures); both are kept as they come.

namespace Grpc.Core;

/// <summary>Response headers, status, trailers and disposal of one call.</summary>
internal readonly struct CallState
{
    private readonly object? _state;
    private readonly Task<Metadata>? _headersTask;
    private readonly Func<object, Task<Metadata>>? _headers;
    private readonly Delegate _status;
    private readonly Delegate _trailers;
    private readonly Delegate _dispose;

    public CallState(Task<Metadata> headers, Func<Status> status, Func<Metadata> trailers, Action dispose) =>
        (_headersTask, _status, _trailers, _dispose) = (headers, status, trailers, dispose);

    public CallState(
        Func<object, Task<Metadata>> headers,
        Func<object, Status> status,
        Func<object, Metadata> trailers,
        Action<object> dispose,
        object state) =>
        (_headers, _status, _trailers, _dispose, _state) = (headers, status, trailers, dispose, state);

    public Task<Metadata> Headers() => _headers is null ? _headersTask! : _headers(_state!);

    public Status Status() => _status is Func<Status> plain ? plain() : ((Func<object, Status>)_status)(_state!);

    public Metadata Trailers() => _trailers is Func<Metadata> plain ? plain() : ((Func<object, Metadata>)_trailers)(_state!);

    public void Dispose()
    {
        if (_dispose is Action plain)
            plain();
        else
            ((Action<object>)_dispose)(_state!);
    }
}
