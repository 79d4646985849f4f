// Offline verification and reading of a journal, without FASTER: `orderctl journal verify` and `dump`, later repair.
// Uses the scanner that recovery uses, and changes nothing but the lock file.

namespace OrderEngine.Journal;

/// <summary>What a journal is worth.</summary>
/// <param name="Directory">The data directory.</param>
/// <param name="IsIntact">Every batch that was acknowledged is there. A torn end that never was does not count against it.</param>
/// <param name="Damage">What is damaged, where, and what to do; null when intact.</param>
/// <param name="Frames">Valid batches, up to the end or the damage.</param>
/// <param name="Events">Events in them.</param>
/// <param name="FirstSequence">The first sequence stored.</param>
/// <param name="LastSequence">The last sequence of a valid batch; 0 when there is none.</param>
/// <param name="AcknowledgedSequence">The sequence that the commit record promises; -1 when both records are lost.</param>
/// <param name="Bytes">Bytes of the log up to the end or the damage, frames and padding.</param>
/// <param name="TornBytes">Bytes behind the end that the next start will overwrite; meaningless when damaged.</param>
/// <param name="CommitCopiesLost">How many of the commit file's four copies are unreadable; the next start renews them.</param>
public sealed record JournalReport(
    string Directory, bool IsIntact, string? Damage, long Frames, long Events, long FirstSequence, long LastSequence,
    long AcknowledgedSequence, long Bytes, long TornBytes, int CommitCopiesLost);

/// <summary>Verifies and reads a journal that no process has open.</summary>
public static class JournalVerifier
{
    /// <summary>Walks the whole journal of a data directory. Damage is reported, not thrown.</summary>
    /// <exception cref="JournalException">There is no journal, or another process holds the directory.</exception>
    public static JournalReport Verify(string directory) => Walk(directory, null);

    /// <summary>
    /// Hands every valid batch to <paramref name="batch"/>, up to the end or the damage, and reports. The payload is valid during the
    /// call only.
    /// </summary>
    /// <exception cref="JournalException">There is no journal, or another process holds the directory.</exception>
    public static JournalReport Read(string directory, Action<JournalBatch> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Walk(directory, batch);
    }

    /// <exception cref="JournalException">What was just written is not what can be read: the disk is not to be trusted.</exception>
    internal static void MustBeIntact(string directory)
    {
        if (Verify(directory) is { IsIntact: false } report) throw new JournalException($"What was written cannot be read back: {report.Damage}");
    }

    private static JournalReport Walk(string directory, Action<JournalBatch>? batch)
    {
        var layout = new DataDirectory(directory);
        if (!Directory.Exists(layout.Journal)) throw new JournalException($"'{layout.Root}' holds no journal ('{layout.Journal}' does not exist).");
        using var held = layout.TakeLock();
        Inspection found;
        try
        {
            found = Inspection.Run(layout, frame =>
            {
                if (frame.Header.FirstSequence > 0) batch?.Invoke(frame.Batch);
            }, progress: null);
        }
        catch (JournalException error)
        {
            return new JournalReport(layout.Root, false, error.Message, 0, 0, 1, 0, -1, 0, 0, 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new JournalReport(layout.Root, false, $"'{layout.Journal}' cannot be read: {error.Message}", 0, 0, 1, 0, -1, 0, 0, 0);
        }
        return new JournalReport(layout.Root, found.Damage is null, found.Damage, found.Frames, found.Events, found.FirstSequence,
            found.LastSequence, found.Commit.Newest?.LastSequence ?? -1, found.EndAddress - found.BeginAddress, found.TornBytes,
            found.Commit.CopiesLost);
    }
}
