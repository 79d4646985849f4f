// Reading while appends go on: from the files, never from FASTER. What is durable does not change any more: FASTER writes the
// last block again with the same bytes in front.

namespace OrderEngine.Journal;

public sealed partial class FasterJournal
{
    /// <inheritdoc/>
    public IEnumerable<JournalBatch> Read(long fromSequence, CancellationToken cancellationToken = default)
    {
        IndexEntry start;
        long until;
        lock (sync)
        {
            if (fromSequence < firstSequence)
            {
                throw new ArgumentOutOfRangeException(nameof(fromSequence), fromSequence, $"The journal begins at sequence {firstSequence}.");
            }
            if (fromSequence > lastSequence) return [];
            start = index.AtOrBefore(fromSequence);
            until = lastSequence;
        }
        return Frames(start, fromSequence, until, cancellationToken);
    }

    private IEnumerable<JournalBatch> Frames(IndexEntry start, long fromSequence, long until, CancellationToken cancellationToken)
    {
        var before = new Chain(start.PreviousCrc, start.FirstSequence - 1, 0);
        using var scanner = new FrameScanner(directory, geometry, FrameScanner.SmallWindow, start.Address, before);
        while (scanner.Chain.LastSequence < until)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!Step(scanner, out var frame)) throw Unreadable(scanner, fromSequence);
            if (frame.Header.LastSequence >= fromSequence) yield return frame.Batch with { Payload = frame.Payload.ToArray() };
        }
    }

    private static bool Step(FrameScanner scanner, out ScannedFrame frame)
    {
        try
        {
            return scanner.TryNext(out frame);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The journal cannot be read back at address {scanner.Address}: {error.Message}", error);
        }
    }

    /// <summary>A reader that truncation has overtaken learns so; anything else is damage.</summary>
    private Exception Unreadable(FrameScanner scanner, long fromSequence)
    {
        // The genesis frame is sequence 0; damage to it is no truncation.
        var next = Math.Max(1, scanner.Chain.LastSequence + 1);
        if (next < FirstSequence || scanner.Address < Volatile.Read(ref beginAddress))
        {
            return new ArgumentOutOfRangeException(nameof(fromSequence), fromSequence, $"The journal was truncated while it was read; it begins at sequence {FirstSequence} now.");
        }
        return new JournalException($"'{directory.Segment(geometry.SegmentOf(scanner.Address))}' is damaged at byte " +
            $"{geometry.OffsetInSegment(scanner.Address)}, sequence {next}: {scanner.Stop}. Stop, keep the directory as it is, and see orderctl journal repair.");
    }
}
