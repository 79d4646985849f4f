// A commit that never ends. FASTER starts a flush by an action of its epoch, and that epoch (LightEpoch, 2.6.5) can lose an action when two threads
// use it: one that leaves clears its entry and then looks for actions, without a barrier between; one that defers an action counts it and then
// looks at the entries. Both may miss each other; the flush then begins when somebody enters the epoch again. Here only appends enter it.

using System.Diagnostics;
using FASTER.core;

namespace OrderEngine.Journal.Tests;

public sealed class StallTests
{
    // A segment for each few appends: what follows a truncation is where the threads would meet.
    private static readonly JournalGeometry s_tiny = new(13, 14);
    private const int Rounds = 2_000, MostTurns = 4_000;

    [Fact]
    public async Task No_commit_waits_for_the_next_one_however_appends_and_truncations_meet()
    {
        using var directory = new TestDirectory(inMemory: true);
        await using var journal = FasterJournal.Open(Support.Options(directory.Path, s_tiny), 1, _ => { });
        var random = new Random(7);
        var payload = new byte[s_tiny.MaxPayloadBytes - 100];
        var turned = 0;
        for (var round = 0; round < Rounds; round++)
        {
            // Each append waits for the one before: no next one helps it along.
            for (var i = 0; i < 4; i++) await Append(journal, payload);
            var truncated = journal.TruncateBelowAsync(journal.LastSequence).AsTask();
            while (!truncated.IsCompleted) Thread.SpinWait(1);
            await truncated;
            for (var turns = random.Next(MostTurns); turns > 0; turns--) Volatile.Write(ref turned, turns);
            await Append(journal, payload);
        }
        Assert.True(journal.FirstSequence > Rounds, "nothing was truncated");
        // What would make FASTER's worker enter the epoch.
        Assert.Equal(JournalGeometry.FirstAddress, journal.BeginAddressOfFaster);
    }

    private static ValueTask Append(FasterJournal journal, byte[] payload) =>
        journal.AppendAsync(new JournalBatch(1, journal.LastSequence + 1, journal.LastSequence + 1, payload));

    /// <summary>Two threads meet in an epoch for a while; how often an action was deferred, and how often it was lost.</summary>
    internal static (long Rounds, long Deferred, long Lost) Meet(TimeSpan length)
    {
        var epoch = new LightEpoch();
        long round = 0, left = 0, ran = 0, deferred = 0, lost = 0;
        var turned = 0;
        var other = new Thread(() =>
        {
            var random = new Random(1);
            for (var mine = 1L; ; mine++)
            {
                while (Volatile.Read(ref round) < mine) { }
                if (Volatile.Read(ref round) == long.MaxValue) return;
                epoch.Resume();
                for (var turns = random.Next(400); turns > 0; turns--) Volatile.Write(ref turned, turns);
                epoch.Suspend();
                Volatile.Write(ref left, mine);
            }
        });
        other.Start();
        var clock = Stopwatch.StartNew();
        var waits = new Random(2);
        var rounds = 0L;
        while (clock.Elapsed < length)
        {
            ran = 0;
            Volatile.Write(ref round, ++rounds);
            for (var turns = waits.Next(400); turns > 0; turns--) Volatile.Write(ref turned, turns);
            epoch.Resume();
            epoch.BumpCurrentEpoch(() => Volatile.Write(ref ran, 1));
            if (Volatile.Read(ref ran) == 0) deferred++;
            epoch.Suspend();
            while (Volatile.Read(ref left) != rounds) { }
            if (Interlocked.Read(ref ran) != 0) continue;
            lost++;
            epoch.Resume(); // the next user runs it
            epoch.Suspend();
        }
        Volatile.Write(ref round, long.MaxValue);
        other.Join();
        return (rounds, deferred, lost);
    }
}
