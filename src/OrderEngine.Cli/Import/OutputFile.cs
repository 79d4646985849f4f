// Owns a file that is being written: under another name until it is whole, so that a torn one is never taken for it. One thread.
using System.Text;

namespace OrderEngine.Cli.Import;

/// <summary>A file of lines. Only its owner may read it (0600): rows and exports can name people. What is not whole is removed.</summary>
internal sealed class OutputFile : IDisposable
{
    private const string StandardOutput = "-";
    private const string Part = ".part";
    private const int BufferBytes = 1 << 16;
    private const string Devices = "/dev/";
    private readonly string? _path;
    private readonly string _part = "";
    private readonly string _named;
    private bool _whole;

    private OutputFile(string path, string named)
    {
        // A device (/dev/null) cannot be replaced, only written to.
        (_path, _part, _named) = (path, IsDevice(path) ? path : path + Part, named);
        if (Directory.Exists(path))
            throw new UsageException($"{named}: '{path}' is a directory. Name a file.");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        // \n on every system: the checksum of an export counts bytes.
        Writer = OrUsage(() =>
        {
            // One that was left behind keeps its mode when it is opened again.
            if (_part != path)
                File.Delete(_part);
            return new StreamWriter(_part, new UTF8Encoding(false), options) { NewLine = "\n" };
        });
    }

    private OutputFile(Terminal terminal) => (Writer, _named) = (terminal.Out, StandardOutput);

    public TextWriter Writer { get; }

    public bool IsStandardOutput => _path is null;

    /// <summary>Opens the file of an option.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="named">The option or argument that named it, for messages.</param>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static OutputFile Open(string path, string named) => new(path, named);

    /// <summary>The same, where - is standard output.</summary>
    public static OutputFile OpenOrStandardOutput(Terminal terminal, string path, string named) =>
        path == StandardOutput ? new OutputFile(terminal) : new OutputFile(path, named);

    /// <summary>The name in the directory of another file; in the current one when that is a device.</summary>
    public static string Beside(string other, string name) => IsDevice(other) ? name : Path.Combine(Path.GetDirectoryName(other) ?? "", name);

    /// <summary>Refuses a file to be written that is also one of those to be read or written, by whatever name.</summary>
    /// <exception cref="UsageException">It is.</exception>
    public static void MustNotBe(string path, string named, params (string Path, string Named)[] others)
    {
        var written = new[] { path, path + Part }.Select(RealPath).ToArray();
        foreach (var (other, otherNamed) in others)
        {
            if (written.Contains(RealPath(other), StringComparer.Ordinal))
                throw new UsageException($"{named}: '{path}' would be written over {otherNamed} ('{other}'). Name another file.");
        }
    }

    /// <summary>The file is whole: it gets its name.</summary>
    public void Complete()
    {
        Writer.Flush();
        _whole = true;
        if (_path is null)
            return;
        Writer.Dispose();
        if (_part == _path)
            return;
        OrUsage(() =>
        {
            File.Move(_part, _path, overwrite: true);
            return true;
        });
    }

    public void Dispose()
    {
        if (_path is null)
            return;
        Writer.Dispose();
        if (!_whole && _part != _path)
            File.Delete(_part);
    }

    private static bool IsDevice(string path) => !OperatingSystem.IsWindows() && RealPath(path).StartsWith(Devices, StringComparison.Ordinal);

    private T OrUsage<T>(Func<T> open)
    {
        try
        {
            return open();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{_named}: '{_path}' cannot be written: {wrong.Message}");
        }
    }

    // The path with every link in it followed; what does not exist yet keeps its name.
    private static string RealPath(string path)
    {
        const int mostLinks = 40;
        var pending = Path.GetFullPath(path);
        for (var links = 0; links < mostLinks; links++)
        {
            var root = Path.GetPathRoot(pending)!;
            var real = root;
            string? replaced = null;
            var names = pending[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
            for (var i = 0; i < names.Length && replaced is null; i++)
            {
                var step = Path.Combine(real, names[i]);
                if (new FileInfo(step).LinkTarget is { } target)
                    replaced = Path.GetFullPath(Path.Combine([target, .. names[(i + 1)..]]), real);
                real = step;
            }

            if (replaced is null)
                return real;
            pending = replaced;
        }

        throw new UsageException($"'{path}' goes through more than {mostLinks} links.");
    }
}
