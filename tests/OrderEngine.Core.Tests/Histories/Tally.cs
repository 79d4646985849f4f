// Counts what happened in the histories of a run, so that a test can insist that every kind of thing really did. Any thread.

using System.Collections.Concurrent;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, long> _counts = new();

    public void Add(string what, long times = 1) => _counts.AddOrUpdate(what, times, (_, count) => count + times);

    public long this[string what] => _counts.GetValueOrDefault(what);

    public void AtLeast(long times, params string[] whats)
    {
        foreach (var what in whats) Assert.True(this[what] >= times, $"'{what}' happened {this[what]} times, not {times}.\n{this}");
    }

    public override string ToString() => string.Join("\n", _counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Key}: {count.Value}"));
}
