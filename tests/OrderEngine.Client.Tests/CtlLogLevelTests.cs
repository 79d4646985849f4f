// orderctl log-level: what is sent for what is typed, and what is shown of the answer.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlLogLevelTests
{
    [Fact]
    public async Task A_level_is_set_and_taken_back()
    {
        var sent = new List<SetLogLevelRequest>();
        var services = new FakeServices();
        services.Admin.OnLogLevel = request =>
        {
            sent.Add(request);
            var response = new SetLogLevelResponse();
            if (request.Level != LogThreshold.Unspecified) response.Changed.Add(new CategoryLevel { Category = request.Category, Level = request.Level });
            return response;
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var set = await Ctl.RunAsync(engine.Address, "log-level", "OrderEngine.Engine", "debug");
        var back = await Ctl.RunAsync(engine.Address, "log-level", "OrderEngine.Engine");

        Assert.Equal((0, 0), (set.Code, back.Code));
        Assert.Equal([new SetLogLevelRequest { Category = "OrderEngine.Engine", Level = LogThreshold.Debug }, new SetLogLevelRequest { Category = "OrderEngine.Engine" }], sent);
        Assert.Equal("OrderEngine.Engine DEBUG\n", set.Out);
        Assert.Equal("All is logged as at the start.\n", back.Out);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "log-level", "OrderEngine", "chatty")).Code);
        Assert.Equal(2, sent.Count);
    }
}
