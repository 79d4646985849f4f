// Around every call: what may not be served yet or any more is refused, and whatever is thrown becomes a status of the catalogue.

using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Traces;

namespace OrderEngine.Server;

/// <summary>The gate and the safety net of all services. One instance; any thread.</summary>
/// <param name="calls">The engine.</param>
/// <param name="time">The server's clock.</param>
/// <param name="logger">For what should never happen.</param>
internal sealed class CallGuard(EngineCalls calls, TimeProvider time, ILogger<CallGuard> logger)
{
    // What needs no engine.
    private static readonly string[] AlwaysServed = ["/orderengine.v1.AdminService/GetEngineStatus", "/orderengine.v1.AdminService/SetLogLevel"];

    /// <summary>A single call within the guard.</summary>
    public UnaryServerMethod<TService, TRequest, TResponse> Around<TService, TRequest, TResponse>(UnaryServerMethod<TService, TRequest, TResponse> serve)
        where TService : class
        where TRequest : class
        where TResponse : class =>
        calls.Traces is not { } traces
            ? (service, request, context) => ServeAsync(serve, service, request, context)
            : (service, request, context) => TracedAsync(traces, serve, service, request, context);

    private async Task<TResponse> TracedAsync<TService, TRequest, TResponse>(
        CallTraces traces, UnaryServerMethod<TService, TRequest, TResponse> serve, TService service, TRequest request, ServerCallContext context)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        var trace = traces.Begin(context);
        var status = StatusCode.OK;
        try
        {
            return await ServeAsync(serve, service, request, context);
        }
        catch (RpcException refused)
        {
            status = refused.StatusCode;
            throw;
        }
        finally
        {
            trace?.End(status);
        }
    }

    private async Task<TResponse> ServeAsync<TService, TRequest, TResponse>(
        UnaryServerMethod<TService, TRequest, TResponse> serve, TService service, TRequest request, ServerCallContext context)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        try
        {
            Admit(context.Method);
            return await (Grant.Current is { IsList: true, Caller.Share: { } share } ? ListAsync(share, serve, service, request, context) : serve(service, request, context));
        }
        catch (Exception thrown) when (!IsRefusal(thrown))
        {
            throw Translate(thrown, context);
        }
    }

    private static async Task<TResponse> ListAsync<TService, TRequest, TResponse>(
        ClientShare share, UnaryServerMethod<TService, TRequest, TResponse> serve, TService service, TRequest request, ServerCallContext context)
        where TService : class
        where TRequest : class
        where TResponse : class
    {
        await share.BeginListAsync(context.CancellationToken);
        Task<TResponse> answer;
        try
        {
            // What waits (for a min_sequence) does so without keeping others from theirs.
            answer = serve(service, request, context);
        }
        finally
        {
            share.EndList();
        }
        return await answer;
    }

    /// <summary>A stream within the guard.</summary>
    public ClientStreamingServerMethod<TService, TRequest, TResponse> Around<TService, TRequest, TResponse>(ClientStreamingServerMethod<TService, TRequest, TResponse> serve)
        where TService : class
        where TRequest : class
        where TResponse : class => async (service, requests, context) =>
    {
        calls.StreamOpened();
        try
        {
            Admit(context.Method);
            using var life = LifeOf(context);
            return await serve(service, life is null ? requests : new HeldReader<TRequest>(requests, life, Grant.Current.Caller.Share), context);
        }
        catch (Exception thrown) when (!IsRefusal(thrown))
        {
            throw Translate(thrown, context);
        }
        finally
        {
            calls.StreamEnded();
        }
    };

    /// <inheritdoc cref="Around{TService, TRequest, TResponse}(ClientStreamingServerMethod{TService, TRequest, TResponse})"/>
    public ServerStreamingServerMethod<TService, TRequest, TResponse> Around<TService, TRequest, TResponse>(ServerStreamingServerMethod<TService, TRequest, TResponse> serve)
        where TService : class
        where TRequest : class
        where TResponse : class => async (service, request, responses, context) =>
    {
        calls.StreamOpened();
        try
        {
            Admit(context.Method);
            using var life = LifeOf(context);
            await serve(service, request, life is null ? responses : new HeldWriter<TResponse>(responses, life), context);
        }
        catch (Exception thrown) when (!IsRefusal(thrown))
        {
            throw Translate(thrown, context);
        }
        finally
        {
            calls.StreamEnded();
        }
    };

    /// <inheritdoc cref="Around{TService, TRequest, TResponse}(ClientStreamingServerMethod{TService, TRequest, TResponse})"/>
    public DuplexStreamingServerMethod<TService, TRequest, TResponse> Around<TService, TRequest, TResponse>(DuplexStreamingServerMethod<TService, TRequest, TResponse> serve)
        where TService : class
        where TRequest : class
        where TResponse : class => async (service, requests, responses, context) =>
    {
        calls.StreamOpened();
        try
        {
            Admit(context.Method);
            using var life = LifeOf(context);
            if (life is null) await serve(service, requests, responses, context);
            else await serve(service, new HeldReader<TRequest>(requests, life, Grant.Current.Caller.Share), new HeldWriter<TResponse>(responses, life), context);
        }
        catch (Exception thrown) when (!IsRefusal(thrown))
        {
            throw Translate(thrown, context);
        }
        finally
        {
            calls.StreamEnded();
        }
    };

    // As they pass, refusals that no other counter knows of are counted.
    private bool IsRefusal(Exception thrown)
    {
        if (thrown is RefusalException { IsCounted: false } refusal) calls.Declined(refusal.Refusal);
        return thrown is RpcException;
    }

    private void Admit(string method)
    {
        if (!method.StartsWith(RpcTable.Prefix, StringComparison.Ordinal) || AlwaysServed.Contains(method)) return;
        if (calls.Stopping.IsCancellationRequested) throw Errors.Exception(ErrorReason.EngineDraining);
        switch (calls.Engine.Phase)
        {
            case Engine.EnginePhase.Serving: return;
            case Engine.EnginePhase.Draining: throw Errors.Exception(ErrorReason.EngineDraining);
            default: throw Errors.Exception(ErrorReason.EngineRecovering);
        }
    }

    // Null: nobody's credential, nothing to look at again.
    private CredentialLife? LifeOf(ServerCallContext context) =>
        Grant.Current.Caller.IsTrusted || !context.Method.StartsWith(RpcTable.Prefix, StringComparison.Ordinal) ? null : new CredentialLife(Grant.Current.Caller, time);

    private RpcException Translate(Exception thrown, ServerCallContext context)
    {
        switch (thrown)
        {
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return context.Deadline <= DateTime.UtcNow
                    ? Errors.Exception(ErrorReason.DeadlinePassed)
                    : new RpcException(new Status(StatusCode.Cancelled, "The caller has left."));
            case OperationCanceledException when calls.Stopping.IsCancellationRequested:
            case FeedClosedException:
                return Counted(Errors.Status(ErrorReason.EngineDraining));
            case InvalidProtocolBufferException:
                return Counted(Errors.InvalidField("", "the message must be valid protobuf"));
            case IOException when context.CancellationToken.IsCancellationRequested:
                return new RpcException(new Status(StatusCode.Cancelled, "The caller has left."));
            default:
                ServerLog.CallFailed(logger, context.Method, thrown);
                return Counted(Errors.Status(ErrorReason.InternalError));
        }
    }

    private RefusalException Counted(Google.Rpc.Status refusal)
    {
        calls.Declined(refusal);
        return refusal.ToException(isCounted: true);
    }
}
