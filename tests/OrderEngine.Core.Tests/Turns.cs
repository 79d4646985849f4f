// Turns of a core until nothing is left to do; a core that never comes to that fails the test instead of hanging it.

using OrderEngine.Core.Events;
using Xunit;

namespace OrderEngine.Core.Tests;

internal static class Turns
{
    // Far more than any test needs.
    private const int Most = 20_000;

    /// <summary>Fires what is due and fills queues, turn after turn.</summary>
    public static void All(OrderCore core, long now, EventBuffer events)
    {
        for (var turns = 0; core.Turn(now, events); turns++) Assert.True(turns < Most, "The turns do not come to an end.");
    }
}
