// Where the engine's loops run. In real life each has a thread or a task of its own; the simulation runs all of them on one thread, a step
// at a time, in an order drawn from its seed.

using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal class EngineThreads
{
    public static readonly EngineThreads Real = new();

    /// <summary>Runs a loop that mostly waits: dispatcher, the stop.</summary>
    public virtual Task Run(Func<Task> loop) => Task.Run(loop);

    /// <summary>Runs what takes long and may hold a read guard, which belongs to one thread: the walk of a snapshot.</summary>
    public virtual Task<T> RunLong<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    /// <summary>Leaves the processor to others for so long, in the middle of long work. On the thread of <see cref="RunLong"/>.</summary>
    public virtual void Rest(TimeSpan time) => Thread.Sleep(time);

    /// <summary>Runs a piece of work that does not wait, so many times at once.</summary>
    public virtual void Scatter(IThreadPoolWorkItem work, int times)
    {
        for (var i = 0; i < times; i++) ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
    }

    /// <summary>Runs the writer until it has come to its end.</summary>
    public virtual void RunWriter(WriterThread writer) => new Thread(() =>
    {
        PromptThread.AskFor();
        writer.Run();
    })
    { Name = "engine-writer", IsBackground = true }.Start();
}
