// http://{address}:{port}/metrics on a listener of its own, so that scrapes need no HTTP/2 and the gRPC address stays free to choose.
// A second, tiny web application in the same process; it takes nothing from the configuration but the port.

using System.Net;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrderEngine.Server.Traces;

namespace OrderEngine.Server.Metrics;

/// <summary>Where the metrics are served; port 0: a free one.</summary>
internal sealed record MetricsAddress(IPEndPoint EndPoint);

/// <summary>Serves the metrics from before recovery until after the drain.</summary>
internal sealed class MetricsEndpoint(
    MetricsAddress address, System.Diagnostics.Metrics.IMeterFactory meters, HealthPages health, ILogger<MetricsEndpoint> logger, TraceSettings? traces = null)
    : IHostedService, IAsyncDisposable
{
#if PROMETHEUS_NET
    private readonly PrometheusNetPage _page = new(meters, withExemplars: traces is not null);
#else
    private readonly MetricsCollector _page = new(meters, withExemplars: traces is not null);
#endif
    private WebApplication? _app;

    /// <summary>Where it listens, once started.</summary>
    public string? Address => _app?.Urls.FirstOrDefault();

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The empty builder reads no environment and no command line: --urls is for gRPC.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://{address.EndPoint}").ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ServerLimits.MetricsConnections;
            kestrel.Limits.KeepAliveTimeout = ServerLimits.MetricsSilence;
            kestrel.Limits.RequestHeadersTimeout = ServerLimits.HeadersTime;
            // Nobody has anything to send here.
            kestrel.Limits.MaxRequestBodySize = 0;
        });
        builder.Services.AddRoutingCore();
        // Signals are for the server; this one goes with it.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        _app = builder.Build();
        _page.Map(_app);
        health.Map(_app);
        await _app.StartAsync(cancellationToken);
        ServerLog.MetricsAt(logger, $"{Address}/metrics");
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        _page.Dispose();
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
