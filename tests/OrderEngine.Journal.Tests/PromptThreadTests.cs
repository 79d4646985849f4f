// The wish for short turns: granted where the system knows it, without effect elsewhere; nothing else about the thread changes.

using System.Runtime.InteropServices;

namespace OrderEngine.Journal.Tests;

public sealed class PromptThreadTests
{
    [Fact]
    public void A_thread_gets_the_short_turns_that_it_asks_for_where_there_are_any()
    {
        var (granted, turn, others) = (false, 0UL, 0UL);
        var thread = new Thread(() =>
        {
            granted = PromptThread.AskFor();
            turn = PromptThread.Asked();
        });
        thread.Start();
        thread.Join();
        others = PromptThread.Asked();
        var isKnown = OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 12) && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;
        if (isKnown) Assert.True(granted);
        if (isKnown) Assert.Equal(PromptThread.Turn, turn);
        Assert.NotEqual(PromptThread.Turn, others);
    }
}
