// What an attacker did and what it was told, counted by name; printed as one line of JSON for whoever started it. Any thread.

using System.Collections.Concurrent;
using System.Text.Json;

namespace OrderEngine.Attacks;

internal sealed class Counters
{
    private readonly ConcurrentDictionary<string, long> _counts = new();

    public long this[string name] => _counts.GetValueOrDefault(name);

    public void Add(string name, long count = 1) => _counts.AddOrUpdate(name, count, (_, before) => before + count);

    /// <summary>The sum of all whose name begins so.</summary>
    public long Sum(string prefix) => _counts.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(pair => pair.Value);

    public override string ToString() => JsonSerializer.Serialize(new SortedDictionary<string, long>(_counts));

    public static Counters Parse(string json)
    {
        var counters = new Counters();
        foreach (var (name, count) in JsonSerializer.Deserialize<Dictionary<string, long>>(json)!) counters.Add(name, count);
        return counters;
    }
}
