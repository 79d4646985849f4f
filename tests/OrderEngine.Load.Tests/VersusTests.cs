// What is made of turns; that two builds can be measured is tried by hand (docs/LOAD.md).

using OrderEngine.Load.Comparing;

namespace OrderEngine.Load.Tests;

public sealed class VersusTests
{
    [Fact]
    public void Ratios_are_of_all_turns_and_of_neighbours()
    {
        var result = new VersusResult
        {
            // A slow minute of the machine falls on both: neighbours say 2, 1, 3 and 2.
            Turns = [[new(100, 1, 0.5), new(10, 1, 0.05), new(10, 1, 0.1), new(100, 1, 0.5)], [new(200, 1, 0.5), new(10, 1, 0.05), new(30, 1, 0.6), new(200, 1, 1)]],
            Failures = [],
        };
        Assert.Equal((55, 110), (result.RateOf(0), result.RateOf(1)));
        Assert.Equal(new TurnRatio(2, 2, 2, 3), result.Rate);
        Assert.Equal(1.15 / 220, result.CpuOf(0), 12);
        Assert.Equal(2.15 / 440, result.CpuOf(1), 12);
        Assert.Equal((1.0, 1.0, 2.0), (Math.Round(result.Cpu.Median, 12), Math.Round(result.Cpu.LowerQuarter, 12), Math.Round(result.Cpu.UpperQuarter, 12)));
        Assert.Contains("second to first: rate 2.000 (pairs: median 2.000, half of them 2.000 to 3.000)", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_named_before_anything_is_started()
    {
        var errors = new StringWriter();
        Assert.Equal(ExitCodes.CannotRun, await LoadCommands.RunAsync(["versus", "submit-unary", "--against", "nowhere.dll"], new StringWriter(), errors, default));
        Assert.Contains("nowhere.dll", errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Usage, await LoadCommands.RunAsync(["versus", "submit-unary"], new StringWriter(), errors, default));
        Assert.Equal(ExitCodes.Usage, await LoadCommands.RunAsync(["versus", "no-such", "--against", "x.dll"], new StringWriter(), errors, default));
    }
}
