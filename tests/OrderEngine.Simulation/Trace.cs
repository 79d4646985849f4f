// What happened, line by line: hashed always, kept when it is to be shown.

using System.Text;

namespace OrderEngine.Simulation;

internal sealed class Trace(bool keep)
{
    private readonly StringBuilder? _text = keep ? new StringBuilder() : null;

    /// <summary>Over all lines: two runs with the same one did the same.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    public string Text => _text?.ToString() ?? "";

    public void Line(string line)
    {
        foreach (var c in line) Hash = (Hash ^ c) * 1099511628211;
        Hash = (Hash ^ '\n') * 1099511628211;
        _text?.Append(line).Append('\n');
    }
}
