// Loading an export into an empty engine: all of it is tried on a scratch core first; only then does the writer take it up.
// Checked on the caller's thread, loaded by the writer, completed by the publisher.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Engine;

/// <summary>Events on their way into an empty engine.</summary>
internal sealed class ImportJob(IReadOnlyList<byte[]> events)
{
    private readonly TaskCompletionSource<ImportResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<byte[]> Events { get; } = events;

    /// <summary>Index of the next event to load. Writer only.</summary>
    public int Next { get; set; }

    public Task<ImportResult> Done => _done.Task;

    public void Complete(long sequence) => _done.TrySetResult(new ImportResult(ImportStatus.Imported, sequence, -1, ""));

    public void Refuse(ImportStatus status) => _done.TrySetResult(new ImportResult(status, 0, -1, ""));
}

/// <summary>What left memory in the exporting engine stays in this one: the records are in the other's archive.</summary>
internal static class ImportedArchive
{
    // Of OrderArchived the place in the archive, of ArchivedOrderLoaded the record: the order is here, and its personal data would be under foreign keys.
    private const int Dropped = 2;

    /// <summary>The events without what they say of an archive; those that say nothing of one are the same objects.</summary>
    public static IReadOnlyList<byte[]> Undo(IReadOnlyList<byte[]> events)
    {
        var undone = new byte[events.Count][];
        var buffer = new EventBuffer();
        for (var i = 0; i < undone.Length; i++) undone[i] = Undo(events[i], buffer);
        return undone;
    }

    private static byte[] Undo(byte[] encoded, EventBuffer buffer)
    {
        try
        {
            var e = new EventView(encoded);
            if (e.Kind is not (EventKind.OrderArchived or EventKind.ArchivedOrderLoaded)) return encoded;
            buffer.Truncate(0);
            var reader = new ProtoReader(encoded);
            for (var start = 0; reader.Next(out var field, out var wireType); start = reader.Position)
            {
                if (field != (int)e.Kind)
                {
                    reader.Skip(wireType);
                    buffer.Raw(encoded.AsSpan(start, reader.Position - start));
                    continue;
                }
                var body = reader.Bytes();
                var nested = buffer.BeginNested(field);
                var inner = new ProtoReader(body);
                for (var from = 0; inner.Next(out var part, out var type); from = inner.Position)
                {
                    inner.Skip(type);
                    if (part != Dropped) buffer.Raw(body[from..inner.Position]);
                }
                buffer.EndNested(nested);
            }
            return buffer.Written.ToArray();
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            // The check says what is wrong with it.
            return encoded;
        }
    }
}

internal static class ImportCheck
{
    /// <summary>Events applied to the scratch core between two seals.</summary>
    private const int EventsPerSeal = 4_096;

    /// <summary>What is wrong with a list of events as the whole of an engine; null: nothing.</summary>
    public static ImportResult? Problem(IReadOnlyList<byte[]> events)
    {
        if (events.Count == 0) return Invalid(-1, "There is nothing to import.");
        var scratch = new OrderCore(IndexSecret.New());
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Length > EngineBounds.MaxStepBytes) return Invalid(i, $"The event has {events[i].Length} bytes; at most {EngineBounds.MaxStepBytes} are allowed.");
            try
            {
                scratch.Replay(events[i]);
            }
            catch (ApplyException exception)
            {
                return Invalid(i, exception.Message);
            }
            if (i % EventsPerSeal != EventsPerSeal - 1) continue;
            scratch.Reclaim(scratch.Seal().Sequence);
        }
        var report = Invariants.Check(scratch.Reader, scratch.Seal().Sequence);
        return report.Violations.Count == 0 ? null : Invalid(-1, string.Join(" ", report.Violations));
    }

    private static ImportResult Invalid(int index, string problem) => new(ImportStatus.Invalid, 0, index, problem);
}
