// What proves a caller's identity on a call: an interceptor that adds headers, or several of them in order. The transport
// reads them back through a configurator, so that the kinds stay private.

namespace Grpc.Core;

/// <summary>Adds credentials to a call's metadata before it is sent. It may be asynchronous and may throw to fail the call.</summary>
public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>The call that credentials are wanted for.</summary>
public class AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken)
{
    /// <summary>The same for a call that cannot be cancelled.</summary>
    public AuthInterceptorContext(string serviceUrl, string methodName) : this(serviceUrl, methodName, default) { }

    /// <summary>The address of the service.</summary>
    public string ServiceUrl { get; } = serviceUrl;

    /// <summary>The method's name.</summary>
    public string MethodName { get; } = methodName;

    /// <summary>Cancelled with the call.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

/// <summary>Learns of which kind call credentials are. A transport implements it; exactly one method is called.</summary>
public abstract class CallCredentialsConfiguratorBase
{
    /// <summary>They are several, to be applied in order.</summary>
    public abstract void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials);

    /// <summary>They are one interceptor.</summary>
    public abstract void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor);
}

/// <summary>What proves the caller's identity on a call. Immutable.</summary>
public abstract class CallCredentials
{
    /// <summary>Tells the configurator which kind these are. For transports.</summary>
    public abstract void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state);

    /// <summary>Several credentials as one, applied in this order.</summary>
    /// <exception cref="ArgumentException">There are fewer than two, or one is null.</exception>
    public static CallCredentials Compose(params CallCredentials[] credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        if (credentials.Length < 2 || credentials.Contains(null!))
            throw new ArgumentException("Composing takes at least two credentials, none of them null.", nameof(credentials));
        return new Composite([.. credentials]);
    }

    /// <summary>Credentials that an interceptor adds.</summary>
    /// <exception cref="ArgumentNullException">The interceptor is null.</exception>
    public static CallCredentials FromInterceptor(AsyncAuthInterceptor interceptor) =>
        new Interceptor(interceptor ?? throw new ArgumentNullException(nameof(interceptor)));

    private sealed class Composite(IReadOnlyList<CallCredentials> parts) : CallCredentials
    {
        public override void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetCompositeCredentials(state, parts);
    }

    private sealed class Interceptor(AsyncAuthInterceptor interceptor) : CallCredentials
    {
        public override void InternalPopulateConfiguration(CallCredentialsConfiguratorBase configurator, object? state) =>
            configurator.SetAsyncAuthInterceptorCredentials(state, interceptor);
    }
}
