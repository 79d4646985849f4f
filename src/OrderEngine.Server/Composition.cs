// How the server is put together, top down: settings -> engine on its journal -> services -> the two listeners.

using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Server.Access;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Protocol;
using OrderEngine.Server.Traces;
using OrderEngine.Server.Wire;

namespace OrderEngine.Server;

/// <summary>Builds the server process.</summary>
internal static class Composition
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(30);

    // A stream may have this much on its way before it must wait for the server to read: enough for a burst of orders, bounded for memory.
    private const int StreamWindowBytes = 1024 * 1024;
    private const int ConnectionWindowBytes = 4 * 1024 * 1024;

    /// <summary>Settings of ASP.NET Core that give addresses.</summary>
    private static readonly string[] AddressKeys = ["urls", "http_ports", "https_ports"];

    /// <summary>What a first look at the console shows: our own lines, and of the framework only what is wrong.</summary>
    private static readonly Dictionary<string, string?> LogDefaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Grpc"] = "Warning",
        // Messages that cannot be read, and streams that clients break off in numbers: the client's fault, told to it in the status. What fails
        // in our services is logged by CallGuard.
        ["Logging:LogLevel:Grpc.AspNetCore.Server.ServerCallHandler"] = "None",
        ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel.Http2"] = "None",
        // Not for its lines: with this logger on, each request is given an activity and a scope that nobody reads. Where calls are traced they are made
        // for the traces (CallTraces).
        ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "None",
        // A listener that cannot bind is told by Program in one line.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
    };

    /// <summary>Puts everything together; nothing runs before the application does.</summary>
    public static WebApplication Build(WebApplicationBuilder builder, ServerOptions options)
    {
        builder.Configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = LogDefaults });
        var files = builder.Configuration.Sources.OfType<JsonConfigurationSource>()
            .Select(source => source.FileProvider?.GetFileInfo(source.Path ?? "").PhysicalPath).OfType<string>();
        var levels = new LogLevels([.. files]);
        ((IConfigurationBuilder)builder.Configuration).Add(levels);
        builder.Services.AddSingleton(_ => levels);
        // Lines for people, unless Logging:Console:FormatterName asks for others (json).
        if (builder.Configuration["Logging:Console:FormatterName"] is null) builder.Logging.AddSimpleConsole();
        builder.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        Listen(builder, options);
        AddEngine(builder.Services, options);
        AddAccess(builder.Services, options);
        AddServices(builder.Services);
        builder.Services.AddSingleton(new MetricsAddress(new System.Net.IPEndPoint(options.MetricsAddress, options.MetricsPort)));
        builder.Services.AddSingleton<HealthPages>();
        builder.Services.AddSingleton<MetricsEndpoint>().AddHostedService(services => services.GetRequiredService<MetricsEndpoint>());
        builder.Services.AddHostedService<EngineHost>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainTime);

        var app = builder.Build();
        ServerLog.Starts(Logger(app), Services.AdminService.Version, Path.GetFullPath(options.DataDirectory), app.Environment.EnvironmentName);
        foreach (var weakening in Posture.Named(options.Allow))
            if (!app.Environment.IsDevelopment()) ServerLog.Weakened(Logger(app), weakening);
        app.Services.GetRequiredService<LogLevels>().Watch(app.Services.GetRequiredService<TimeProvider>(), Logger(app));
        app.Services.GetService<CertificateFile>()?.Watch(app.Services.GetRequiredService<TimeProvider>(), Logger(app));
        app.UseMiddleware<UnreadMessages>();
        // A constructor's optional service is not looked for among the services.
        app.Use(next => new AccessGate(next, app.Services.GetRequiredService<AccessPolicy>(), app.Services.GetRequiredService<CredentialStore>(),
            app.Services.GetRequiredService<TimeProvider>(), app.Services.GetRequiredService<AccessMetrics>(), app.Services.GetRequiredService<SlowMessages>(),
            app.Services.GetService<JwtTokens>()).InvokeAsync);
        Map(app, options);
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            foreach (var address in app.Urls) ServerLog.Listening(Logger(app), address);
        });
        return app;
    }

    private static void Listen(WebApplicationBuilder builder, ServerOptions options)
    {
        // Set only where nobody said otherwise: what is set in code would win over --urls.
        var configuration = builder.Configuration;
        var isSet = AddressKeys.Any(key => !string.IsNullOrEmpty(configuration[key]))
            || configuration.GetSection("Kestrel:Endpoints").GetChildren().Any();
        if (!isSet) builder.WebHost.UseUrls(options.DefaultAddress);
        var certificate = options.TlsCertificate is { } path ? new CertificateFile(path, options.TlsKey, options.TlsClientCa) : null;
        if (certificate is not null) builder.Services.AddSingleton(_ => certificate);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            if (certificate is not null) kestrel.ConfigureHttpsDefaults(certificate.Configure);
            kestrel.AddServerHeader = false;
            // gRPC in the clear needs HTTP/2 without negotiation.
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                var connections = endpoint.ApplicationServices.GetRequiredService<ConnectionLimit>();
                endpoint.Use(next => connection => connections.ServeAsync(connection, next));
            });
            kestrel.Limits.MaxRequestHeadersTotalSize = ServerLimits.HeaderBytes;
            kestrel.Limits.Http2.MaxStreamsPerConnection = ServerLimits.CallsPerConnection;
            kestrel.Limits.Http2.KeepAlivePingDelay = ServerLimits.KeepAliveDelay;
            kestrel.Limits.Http2.KeepAlivePingTimeout = ServerLimits.KeepAliveTimeout;
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
            kestrel.Limits.RequestHeadersTimeout = ServerLimits.HeadersTime;
            // Streams are taken out of this one by AccessGate. SlowMessages comes first where a call has a share.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(ServerLimits.LowestRate, 2 * ServerLimits.LowestRateGrace);
            kestrel.Limits.MinResponseDataRate = new MinDataRate(ServerLimits.LowestRate, ServerLimits.LowestRateGrace);
            // gRPC bounds each message instead.
            kestrel.Limits.MaxRequestBodySize = null;
        });
    }

    private static void AddAccess(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(provider => new ClientShares(
            options.RequestsPerSecond, options.RefusalBytesPerDay, options.MaxConnectionsPerClient, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AccessMetrics>();
        services.AddSingleton<SlowMessages>();
        services.AddSingleton(provider => new ConnectionLimit(
            options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<AccessMetrics>(), provider.GetRequiredService<Turns>(),
            () => GC.Collect(1, GCCollectionMode.Forced, blocking: true)));
        services.AddSingleton(provider => new Turns(ServerLimits.CallsThatBegin, ServerLimits.CallsPerTurn, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new AccessPolicy(options.TrustsAnonymous));
        services.AddSingleton(provider => new CredentialStore(
            options.ApiKeysPath, provider.GetRequiredService<Engine.Engine>(), provider.GetRequiredService<ClientShares>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<CredentialStore>>()));
        services.AddHostedService(provider => provider.GetRequiredService<CredentialStore>());
        if (options.Jwt is not { } jwt) return;
        services.AddSingleton(jwt).AddSingleton<JwtTokens>();
        services.AddHostedService(provider => provider.GetRequiredService<JwtTokens>());
    }

    private static void AddEngine(IServiceCollection services, ServerOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IFailStop, ProcessFailStop>();
        services.TryAddSingleton<OpenJournal>(_ => JournalOnDisk);
        services.TryAddSingleton<Func<DiskSpace>>(_ => () => DiskSpace.Of(options.DataDirectory));
        services.TryAddSingleton<ISnapshotStore>(_ => new SnapshotStore(options.DataDirectory));
        services.TryAddSingleton(_ => new ArchiveStore(options.DataDirectory));
        services.AddSingleton(provider => new EngineMetrics(provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton(provider =>
        {
            var open = provider.GetRequiredService<OpenJournal>();
            Engine.Engine? engine = null;
            engine = new Engine.Engine(
                options.Engine,
                (from, replay) => open(options.DataDirectory, from, replay, new RecoveryReport(() => engine)),
                inUseUpTo => KeyRing.Open(options.DataDirectory, inUseUpTo),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<IFailStop>(),
                provider.GetRequiredService<EngineMetrics>(),
                provider.GetRequiredService<ILogger<Engine.Engine>>(),
                provider.GetRequiredService<ISnapshotStore>(),
                provider.GetRequiredService<Func<DiskSpace>>(),
                provider.GetRequiredService<ArchiveStore>());
            return engine;
        });
        if (options.Traces is { } traces) services.AddSingleton(traces).AddSingleton<CallTraces>();
        services.AddSingleton<EngineCalls>();
        services.AddSingleton(provider => new Services.OrderExports(provider.GetRequiredService<EngineCalls>(), provider.GetRequiredService<TimeProvider>(), options.DataDirectory));
    }

    private static FasterJournal JournalOnDisk(string directory, long from, Action<JournalBatch> replay, IProgress<RecoveryProgress> progress) =>
        FasterJournal.Open(new JournalOptions { Directory = directory, CompletesInline = true }, from, replay, progress);

    private static void AddServices(IServiceCollection services)
    {
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = ServerLimits.MessageBytes);
        // Only identity: what a compressed message unfolds to is bounded by nobody, and a mebibyte can unfold to a gibibyte. Once everything else is
        // configured: where there is no provider gRPC adds its own.
        services.PostConfigure<GrpcServiceOptions>(grpc => grpc.CompressionProviders.Clear());
        // In place of the framework's own, beside which every rpc would be bound a second time.
        services.Replace(ServiceDescriptor.Singleton(typeof(IServiceMethodProvider<>), typeof(GuardedMethods<>)));
        services.AddSingleton<CallGuard>();
        services.AddSingleton<Services.OrderService>();
        services.AddSingleton<Services.InventoryService>();
        services.AddSingleton<Services.FulfillmentService>();
        services.AddSingleton<Services.ReturnService>();
        services.AddSingleton<Services.TrackingService>();
        services.AddSingleton<Services.CustomerService>();
        services.AddSingleton<Services.CatalogService>();
        services.AddSingleton<Services.AdminService>();
        services.AddSingleton(new HealthStatus([HealthStatus.Liveness, .. Contract.Services.Select(service => service.FullName)]));
        services.AddSingleton<HealthService>();
        services.AddSingleton(new ReflectionIndex([.. Contract.Services, .. Contract.Standard]));
        services.AddSingleton<ReflectionService>();
        services.AddSingleton<ReflectionV1AlphaService>();
    }

    private static void Map(WebApplication app, ServerOptions options)
    {
        app.MapGrpcService<Services.OrderService>();
        app.MapGrpcService<Services.InventoryService>();
        app.MapGrpcService<Services.FulfillmentService>();
        app.MapGrpcService<Services.ReturnService>();
        app.MapGrpcService<Services.TrackingService>();
        app.MapGrpcService<Services.CustomerService>();
        app.MapGrpcService<Services.CatalogService>();
        app.MapGrpcService<Services.AdminService>();
        app.MapGrpcService<HealthService>();
        if (!options.Allow.HasFlag(Weakenings.Reflection)) return;
        app.MapGrpcService<ReflectionService>();
        app.MapGrpcService<ReflectionV1AlphaService>();
    }

    private static ILogger Logger(WebApplication app) => app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("OrderEngine.Server");
}

/// <summary>Opens the journal of a data directory; tests put another in its place.</summary>
internal delegate IJournal OpenJournal(string directory, long fromSequence, Action<JournalBatch> replay, IProgress<RecoveryProgress> progress);

/// <summary>Hands the journal's progress on to the engine, which is made before its journal is opened.</summary>
internal sealed class RecoveryReport(Func<Engine.Engine?> engine) : IProgress<RecoveryProgress>
{
    // The total is what was known to be committed when recovery began; after a crash there may be more.
    /// <inheritdoc/>
    public void Report(RecoveryProgress value) => engine()?.ReportRecovery(value.BytesDone, Math.Max(value.BytesDone, value.BytesTotal));
}

/// <summary>The services of the contract, and those that every gRPC server has.</summary>
internal static class Contract
{
    /// <summary>Services of orderengine.v1.</summary>
    public static IReadOnlyList<Google.Protobuf.Reflection.ServiceDescriptor> Services { get; } =
    [
        OrderService.Descriptor, InventoryService.Descriptor, FulfillmentService.Descriptor, ReturnService.Descriptor, TrackingService.Descriptor,
        CustomerService.Descriptor, CatalogService.Descriptor, AdminService.Descriptor,
    ];

    /// <summary>Services that change nothing: they serve while the disk is low.</summary>
    public static IReadOnlyList<string> ReadOnly { get; } = [TrackingService.Descriptor.FullName, AdminService.Descriptor.FullName];

    /// <summary>Health and reflection.</summary>
    public static IReadOnlyList<Google.Protobuf.Reflection.ServiceDescriptor> Standard { get; } =
    [
        Contracts.Grpc.Health.V1.Health.Descriptor, Contracts.Grpc.Reflection.V1.ServerReflection.Descriptor,
        Contracts.Grpc.Reflection.V1Alpha.ServerReflection.Descriptor,
    ];
}
