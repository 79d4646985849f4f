// Owns the file of an export while it is written: a header line, a line for each entry, and a trailer line with their number and the SHA-256 of all bytes
// before it, so that a torn or changed file is noticed. One thread.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace OrderEngine.Cli.Import;

/// <summary>Lines and their sum. What is not ended is removed.</summary>
internal sealed class ExportFile : IDisposable
{
    private readonly Session _session;
    private readonly string _path;
    private readonly OutputFile _file;
    private readonly IncrementalHash _sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Opens it; - is standard output.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public ExportFile(Session session, string path, JsonObject header)
    {
        (_session, _path, _file) = (session, path, OutputFile.OpenOrStandardOutput(session.Terminal, path, "FILE"));
        Write(Session.ToJson(header));
    }

    /// <summary>Writes a line.</summary>
    public void Write(string line)
    {
        _sum.AppendData(Encoding.UTF8.GetBytes(line));
        _sum.AppendData("\n"u8);
        _file.Writer.Write(line);
        _file.Writer.Write('\n');
    }

    /// <summary>Writes the trailer, gives the file its name and says what it holds.</summary>
    /// <param name="entries">What the lines are, as the trailer names them.</param>
    /// <param name="count">How many.</param>
    /// <param name="sequence">Of the engine.</param>
    /// <param name="standing">How the two go together, for people.</param>
    public async Task<int> EndAsync(string entries, long count, long sequence, string standing)
    {
        await _file.Writer.WriteAsync(Session.ToJson(new JsonObject { [entries] = count, ["sha256"] = Convert.ToHexStringLower(_sum.GetHashAndReset()) }) + "\n");
        _file.Complete();
        if (_session.Json && !_file.IsStandardOutput)
            _session.Say(Session.ToJson(new JsonObject { [entries] = count, ["sequence"] = sequence }));
        _session.Note($"{Session.Number(count)} {entries} written{(_file.IsStandardOutput ? "" : " to " + _path)}, {standing} sequence {Session.Number(sequence)}");
        return ExitCodes.Ok;
    }

    public void Dispose()
    {
        _file.Dispose();
        _sum.Dispose();
    }
}
