// Reads a gRPC stream with await foreach.

using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>Reads a stream to its end.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>The stream's remaining messages; the stream can be read once only.</summary>
    /// <exception cref="ArgumentNullException">The reader is null.</exception>
    public static IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return ReadAll(streamReader, cancellationToken);
    }

    private static async IAsyncEnumerable<T> ReadAll<T>(
        IAsyncStreamReader<T> reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await reader.MoveNext(cancellationToken).ConfigureAwait(false))
            yield return reader.Current;
    }
}
