// Owns where orderctl reads and writes, so that tests can stand in for a terminal. One thread.
using System.Text;

namespace OrderEngine.Cli;

/// <summary>Standard streams. What a program reads goes to Out, everything else to Error.</summary>
internal sealed class Terminal
{
    private const int PlainWidth = 160;

    public required TextReader In { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True: tables may be coloured and fitted to the window.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>True: a progress line may be redrawn in place.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of a table.</summary>
    public int Width { get; init; } = PlainWidth;

    /// <summary>The process's own streams: UTF-8 without a byte order mark, Out buffered (flushed by whoever has written a whole answer).</summary>
    public static Terminal OfProcess()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var toTerminal = !Console.IsOutputRedirected;
        return new Terminal
        {
            In = Console.In,
            Out = new StreamWriter(Console.OpenStandardOutput(), utf8, 1 << 16),
            Error = Console.Error,
            OutIsTerminal = toTerminal,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            Width = toTerminal && Console.WindowWidth > 40 ? Console.WindowWidth : PlainWidth,
        };
    }
}
