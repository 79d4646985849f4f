// Owns how a message of the contract is given as protobuf JSON, from a file or standard input. One thread.
using Google.Protobuf;

namespace OrderEngine.Cli;

internal static class JsonInput
{
    /// <summary>Reads one message; what is wrong with it is told with the name of the option or argument it was given by.</summary>
    /// <param name="session">Whose standard input - stands for.</param>
    /// <param name="given">The option or argument that names the file.</param>
    /// <param name="file">The file; - is standard input.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task<T> ReadAsync<T>(Session session, string given, string file, CancellationToken cancellationToken) where T : IMessage<T>, new()
    {
        var text = await TextOfAsync(session, given, file, cancellationToken);
        try
        {
            return new MessageParser<T>(() => new T()).ParseJson(text);
        }
        catch (Exception wrong) when (wrong is InvalidProtocolBufferException or InvalidJsonException)
        {
            var name = new T().Descriptor;
            throw new UsageException($"{given}: {(file == "-" ? "standard input" : file)} is not {(name.Name[0] is 'A' or 'E' or 'I' or 'O' ? "an" : "a")} {name.Name} in JSON: {wrong.Message.TrimEnd('.')}. " +
                $"Its fields are those of {name.Name} in {name.File.Name}, written in camelCase.");
        }
    }

    private static async Task<string> TextOfAsync(Session session, string given, string file, CancellationToken cancellationToken)
    {
        if (file == "-")
            return await session.Terminal.In.ReadToEndAsync(cancellationToken);
        if (!File.Exists(file))
            throw new UsageException($"{given}: there is no file '{file}'.");
        return await File.ReadAllTextAsync(file, cancellationToken);
    }
}
