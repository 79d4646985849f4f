// Owns a file that is being written: under another name until it is whole, so that a torn one is never taken for it. One thread.
using System.Text;

namespace OrderEngine.Cli.Import;

internal sealed class OutputFile : IDisposable
{
    private const string StandardOutput = "-";
    private readonly string? _path;
    private readonly bool _owned;

    public OutputFile(Terminal terminal, string path)
    {
        _path = path == StandardOutput ? null : path;
        _owned = _path is not null;
        // \n on every system: the checksum counts bytes.
        Writer = _owned ? new StreamWriter(path + Part, append: false, new UTF8Encoding(false), 1 << 16) { NewLine = "\n" } : terminal.Out;
    }

    private const string Part = ".part";

    public TextWriter Writer { get; }

    public bool IsStandardOutput => !_owned;

    /// <summary>The file is whole: it gets its name.</summary>
    public void Complete()
    {
        Writer.Flush();
        if (!_owned)
            return;
        Writer.Dispose();
        File.Move(_path + Part, _path!, overwrite: true);
    }

    public void Dispose()
    {
        if (_owned)
            Writer.Dispose();
    }
}
