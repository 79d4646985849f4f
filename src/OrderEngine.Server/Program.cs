// The server process. Follow an order from here: Composition -> Services/OrderService -> Mapping/OrderRequests -> EngineCalls -> the engine
// -> Mapping/OrderAnswers.

using OrderEngine.Engine;
using OrderEngine.Server;

var builder = WebApplication.CreateBuilder(args);
if (!ServerOptions.TryRead(builder.Configuration, out var options, out var problems))
{
    foreach (var problem in problems) Console.Error.WriteLine($"orderengine: {problem}");
    return ExitCodes.BadSettings;
}
await using var app = Composition.Build(builder, options);
try
{
    await app.RunAsync();
    return ExitCodes.Stopped;
}
catch (IOException thrown)
{
    Console.Error.WriteLine($"orderengine: {thrown.Message} The gRPC address is set by --urls, the metrics port by {ServerOptions.Section}:{nameof(ServerOptions.MetricsPort)}.");
    return ExitCodes.BadSettings;
}
