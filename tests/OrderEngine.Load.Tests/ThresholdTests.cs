using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Tests;

public class ThresholdTests
{
    [Theory]
    [InlineData("p99Ms<=9.91", ExitCodes.Passed)]
    [InlineData("p99Ms < 9.9", ExitCodes.ThresholdFailed)]
    [InlineData("ordersPerSecond>=500", ExitCodes.Passed)]
    [InlineData("ordersPerSecond>500", ExitCodes.ThresholdFailed)]
    [InlineData("failed=0", ExitCodes.Passed)]
    [InlineData("refused=0", ExitCodes.ThresholdFailed)]
    [InlineData("delivery.maxMs<=5", ExitCodes.Passed)]
    [InlineData("delivery.maxMs<5", ExitCodes.ThresholdFailed)]
    [InlineData("keep-constant.p50Ms<6", ExitCodes.Passed)]
    [InlineData("serverCores<1", ExitCodes.ThresholdFailed)]
    public void A_threshold_decides_the_exit_code(string rule, int code) =>
        Assert.Equal(code, ExitCodes.Of(LoadRun.Judge(SampleResults.Run(), [Threshold.Parse(rule)])));

    [Fact]
    public void One_failed_among_passed_fails() => Assert.Equal(ExitCodes.ThresholdFailed,
        ExitCodes.Of(LoadRun.Judge(SampleResults.Run(), [Threshold.Parse("failed=0"), Threshold.Parse("p50Ms<1"), Threshold.Parse("items>0")])));

    [Theory]
    [InlineData("p98Ms<=1000000")]
    [InlineData("nosuchstep.p99Ms<=1000000")]
    public void A_figure_that_does_not_exist_fails(string rule) =>
        Assert.Equal(ExitCodes.ThresholdFailed, ExitCodes.Of(LoadRun.Judge(SampleResults.Run(), [Threshold.Parse(rule)])));

    [Fact]
    public void A_lost_order_outweighs_thresholds() =>
        Assert.Equal(ExitCodes.LedgerFailed, ExitCodes.Of(LoadRun.Judge(SampleResults.Run(missing: 1), [Threshold.Parse("failed=0")])));

    [Theory]
    [InlineData("")]
    [InlineData("p99Ms")]
    [InlineData("p99Ms<=fast")]
    [InlineData("<=5")]
    public void What_is_no_rule_is_told(string text) => Assert.Throws<FormatException>(() => Threshold.Parse(text));

    [Fact]
    public async Task A_wrong_command_line_ends_with_2_and_says_why()
    {
        foreach (var (args, word) in ((string, string)[])
        [
            ("run submit-nothing", "submit-nothing"), ("run track --seconds 0", "--seconds"), ("run track --threshold p99Ms", "p99Ms"),
            ("run track --address nowhere", "--address"), ("compare --rounds 0", "--rounds"), ("compare --scenarios track,nothing", "nothing"),
            ("run track --copies -1", "--copies"), ("fly", "fly"),
        ])
        {
            using var errors = new StringWriter();
            Assert.Equal(ExitCodes.Usage, await LoadCommands.RunAsync(args.Split(' '), TextWriter.Null, errors, CancellationToken.None));
            Assert.Contains(word, errors.ToString(), StringComparison.Ordinal);
        }
    }
}
