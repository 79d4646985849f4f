// The server process. Follow an order from here: Composition -> Services/OrderService -> Mapping/OrderRequests -> EngineCalls -> the engine
// -> Mapping/OrderAnswers.

using OrderEngine.Engine;
using OrderEngine.Server;
using OrderEngine.Server.Access;

// Settings are read once (but for log levels: LogLevels). Watching their folder for changes would watch the data directory below it, and cost a look at the file at every commit.
var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
if (!ServerOptions.TryRead(builder.Configuration, out var options, out var problems))
{
    foreach (var problem in problems) Console.Error.WriteLine($"orderengine: {problem}");
    return ExitCodes.BadSettings;
}
options = Posture.Of(builder.Environment, Posture.IsNamed(args), builder.Configuration, options, out problems);
foreach (var problem in problems) Console.Error.WriteLine($"orderengine: {problem}");
if (problems.Count > 0) return ExitCodes.BadSettings;
try
{
    await using var app = Composition.Build(builder, options);
    await app.RunAsync();
    return ExitCodes.Stopped;
}
catch (Exception thrown) when (thrown is IOException or FormatException or InvalidOperationException)
{
    Console.Error.WriteLine($"orderengine: {thrown.Message} The gRPC address is set by --urls, the metrics port by {ServerOptions.Section}:{nameof(ServerOptions.MetricsPort)}.");
    return ExitCodes.BadSettings;
}
