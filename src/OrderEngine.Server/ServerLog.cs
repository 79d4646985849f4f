// Every log line of the server, in one place: edges only, never a line a request, never personal data.

namespace OrderEngine.Server;

/// <summary>The server's log lines.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(100, LogLevel.Information, "OrderEngine {Version} starts: data in '{DataDirectory}', environment {Environment}.")]
    public static partial void Starts(ILogger logger, string version, string dataDirectory, string environment);

    [LoggerMessage(101, LogLevel.Information, "Listening for gRPC on {Address}.")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(102, LogLevel.Information, "Metrics at {Address}.")]
    public static partial void MetricsAt(ILogger logger, string address);

    [LoggerMessage(103, LogLevel.Information, "Recovering: {Done:N0} of {Total:N0} bytes of the journal read, sequence {Sequence:N0}.")]
    public static partial void Recovering(ILogger logger, long done, long total, long sequence);

    [LoggerMessage(104, LogLevel.Information, "Stopping: taking nothing new, answering what is in flight.")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(105, LogLevel.Information, "Stopped.")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(106, LogLevel.Error, "A call of {Method} failed unexpectedly; it was answered INTERNAL.")]
    public static partial void CallFailed(ILogger logger, string method, Exception cause);

    [LoggerMessage(107, LogLevel.Critical, "The process ends at once with exit code {ExitCode}: {Reason}")]
    public static partial void FailStop(ILogger logger, int exitCode, string reason);

    [LoggerMessage(120, LogLevel.Information, "{Count} API keys are good, from '{Path}'.")]
    public static partial void ApiKeysLoaded(ILogger logger, int count, string path);

    [LoggerMessage(121, LogLevel.Error, "The API keys stay as they were: {Problem}")]
    public static partial void ApiKeysBroken(ILogger logger, string problem);

    [LoggerMessage(123, LogLevel.Information, "The certificate '{Path}' is in use; it ends {NotAfter:u}.")]
    public static partial void CertificateLoaded(ILogger logger, string path, DateTime notAfter);

    [LoggerMessage(124, LogLevel.Error, "The certificate in use stays: {Problem}")]
    public static partial void CertificateBroken(ILogger logger, string problem);

    [LoggerMessage(125, LogLevel.Information, "{Count} keys of tokens are good, from '{Source}'.")]
    public static partial void JwtKeysLoaded(ILogger logger, int count, string source);

    [LoggerMessage(126, LogLevel.Error, "The keys of tokens stay as they were: '{Source}': {Problem}")]
    public static partial void JwtKeysBroken(ILogger logger, string source, string problem);

    [LoggerMessage(127, LogLevel.Information, "Traces go to {Collector}: one call in {OneIn}, and those that their callers trace.")]
    public static partial void TracesGo(ILogger logger, string collector, int oneIn);

    [LoggerMessage(128, LogLevel.Warning, "{Collector} does not take traces. They are lost until it does; nothing else is.")]
    public static partial void TracesLost(ILogger logger, string collector);

    [LoggerMessage(129, LogLevel.Information, "{Collector} takes traces again; {Spans} spans were lost.")]
    public static partial void TracesTaken(ILogger logger, string collector, long spans);

    [LoggerMessage(130, LogLevel.Warning, "From now on {Category} is logged from {Level} on, by {Who}.")]
    public static partial void LogLevelChanged(ILogger logger, string category, LogLevel level, string who);

    [LoggerMessage(131, LogLevel.Warning, "From now on {Category} is logged as at the start, by {Who}.")]
    public static partial void LogLevelReset(ILogger logger, string category, string who);

    [LoggerMessage(132, LogLevel.Error, "The log levels stay as they were: {Problem}")]
    public static partial void LogLevelsBroken(ILogger logger, string problem);

    [LoggerMessage(122, LogLevel.Warning, "Weakened by the setting Allow: {Weakening}.")]
    public static partial void Weakened(ILogger logger, string weakening);
}
