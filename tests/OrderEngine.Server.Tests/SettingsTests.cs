// Settings: wrong ones are named, and none are needed.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("MetricsPort", "http", "OrderEngine:MetricsPort is 'http'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("MetricsPort", "65536", "OrderEngine:MetricsPort is '65536'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("MetricsPort", "-1", "OrderEngine:MetricsPort is '-1'. Give a whole number from 0 to 65535, or leave the setting out for 9464.")]
    [InlineData("DataDirectory", " ", "OrderEngine:DataDirectory is empty. Give a directory, or leave the setting out for 'data'.")]
    [InlineData("NormalQueueCapacity", "0", "OrderEngine:NormalQueueCapacity is '0'. Give a whole number from 1 to 1000000, or leave the setting out for 4096.")]
    [InlineData("MetricPort", "1", "OrderEngine:MetricPort is not a setting. The settings are")]
    public void A_wrong_setting_is_named_with_the_way_to_mend_it(string name, string value, string problem)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"OrderEngine:{name}", value)]).Build();

        Assert.False(ServerOptions.TryRead(configuration, out _, out var problems));
        Assert.StartsWith(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_settings_the_defaults_are_sound()
    {
        Assert.True(ServerOptions.TryRead(new ConfigurationBuilder().Build(), out var options, out _));
        Assert.Equal(("data", 9464), (options.DataDirectory, options.MetricsPort));
        Assert.Empty(options.Engine.Problems());
    }
}
