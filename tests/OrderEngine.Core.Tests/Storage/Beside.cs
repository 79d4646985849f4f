// Owns: running readers beside a writer in a test, so that a failure on any thread ends all of them and fails the test.

using System.Collections.Concurrent;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

/// <summary>One writer on the test's thread, readers on threads of their own until the writer is through.</summary>
internal sealed class Beside
{
    private readonly ConcurrentQueue<string> _problems = new();
    private bool _done;

    /// <summary>True once the writer is through or something went wrong: readers return, the writer may give up.</summary>
    public bool IsOver => Volatile.Read(ref _done) || !_problems.IsEmpty;

    public void Report(string problem) => _problems.Enqueue(problem);

    public void Run(Action writer, int readerCount, Action<int> reader)
    {
        var threads = Enumerable.Range(0, readerCount).Select(n => new Thread(() => Guarded(() => reader(n)))).ToArray();
        foreach (var thread in threads) thread.Start();
        Guarded(writer);
        Volatile.Write(ref _done, true);
        foreach (var thread in threads) thread.Join();
        Assert.Empty(_problems);
    }

    private void Guarded(Action action)
    {
#pragma warning disable CA1031 // Whatever goes wrong on a reader's thread is the test's failure, not the process's end.
        try
        {
            action();
        }
        catch (Exception exception)
        {
            _problems.Enqueue(exception.ToString());
        }
#pragma warning restore CA1031
    }
}
