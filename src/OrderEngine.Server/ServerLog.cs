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
}
