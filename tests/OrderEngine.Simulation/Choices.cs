// Every decision of a simulation, drawn from its seed and written down, so that a run can be repeated with fewer or calmer decisions.
// 0 is always the calm choice: a history of zeros is one in which nothing goes wrong.

namespace OrderEngine.Simulation;

internal sealed class Choices
{
    private readonly IReadOnlyList<int>? _given;
    private readonly List<int> _taken = [];
    private ulong _state;

    public Choices(ulong seed)
    {
        // Neighbouring seeds must not walk the same numbers: the generator's own step lies between its states.
        _state = seed;
        _state = Draw() * 0xD6E8FEB86659FD93 ^ seed << 32;
    }

    /// <summary>Repeats decisions; calm ones follow when they are used up.</summary>
    public Choices(IReadOnlyList<int> given) => _given = given;

    /// <summary>What was drawn so far.</summary>
    public IReadOnlyList<int> Taken => _taken;

    /// <summary>A number from 0 to below <paramref name="bound"/>.</summary>
    public int Next(int bound)
    {
        var value = _given is null ? (int)(Draw() % (uint)bound) : _taken.Count < _given.Count ? _given[_taken.Count] % bound : 0;
        _taken.Add(value);
        return value;
    }

    /// <summary>True once in <paramref name="times"/>.</summary>
    public bool OneIn(int times) => Next(times) == times - 1;

    /// <summary>An index, drawn by weight; 0 weights are never drawn.</summary>
    public int Weighted(ReadOnlySpan<int> weights)
    {
        var total = 0;
        foreach (var weight in weights) total += weight;
        var drawn = Next(total);
        for (var i = 0; ; i++)
        {
            if (drawn < weights[i]) return i;
            drawn -= weights[i];
        }
    }

    // SplitMix64: the same numbers on every machine and runtime.
    private ulong Draw()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (z ^ (z >> 31)) >> 8;
    }
}
