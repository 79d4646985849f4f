// Owns: who is reading, so that the writer never frees a row that a reader may still look at.
// Runs on: Enter and ReadGuard.Dispose on any thread; Advance and OldestActive on the writer thread.
//
// The protocol. S is the sequence of the batch that superseded a row version V; D is the published durable sequence.
//
//   reader                                           writer
//   1. e = epoch                                     1. link the new version, seal S       (release)
//   2. slot = e             (CAS: full fence)        2. D = S                              (release: publication)
//   3. d = D                (acquire)                3. epoch = E                          (Advance: full fence)
//   4. walk to the newest version <= d               4. scan the slots                     (OldestActive: full fence before)
//   5. slot = 0             (release)                5. free V when every slot is 0 or >= E
//
// The fences between slot store and load of D (reader) and between store of D and slot scan (writer) are Dekker's: one of
// the two sees the other. Either the scan sees the reader's slot with e < E, and V stays; or the reader's load of D comes
// after the publication, so d >= S and the walk ends at the version that superseded V, or a newer one, never at V.
// A reader whose slot says e >= E has read the epoch that was stored after D, hence d >= S too. A reader that took its
// epoch long before it stored its slot only holds back more than it needs to.
// Step 5 of the reader is a release and the scan an acquire, so that a free block is written after the last look at it.

namespace OrderEngine.Core.Storage;

/// <summary>
/// A fixed number of slots, each on cache lines of its own. A reader takes a slot for the time of one synchronous look; the
/// writer asks for the oldest epoch still in.
/// </summary>
public sealed class ReadEpochs
{
    /// <summary>How many readers may be in at once; a further one spins until one leaves.</summary>
    public const int MaxReaders = 128;

    // 128 bytes a slot: processors prefetch cache lines in pairs.
    private const int WordsPerSlot = 16;
    private const int EpochWord = WordsPerSlot;
    private const int FirstSlotWord = 2 * WordsPerSlot;

    // [padding][epoch][slot 0] ... [slot n][padding]; a slot holds the epoch its reader entered in, 0 = nobody.
    private readonly long[] _words = GC.AllocateArray<long>((MaxReaders + 3) * WordsPerSlot, pinned: true);

    /// <summary>Nobody reads; the epoch is 1.</summary>
    public ReadEpochs() => _words[EpochWord] = 1;

    /// <summary>How many readers are in. Any thread; only a glimpse.</summary>
    public int Active
    {
        get
        {
            var active = 0;
            for (var slot = 0; slot < MaxReaders; slot++)
                if (Volatile.Read(ref Slot(slot)) != 0)
                    active++;
            return active;
        }
    }

    /// <summary>
    /// Begins a look at the rows. Read the durable sequence AFTER this call, leave soon (a reader that stays holds back the
    /// reclaiming of every row superseded meanwhile) and do not nest. Any thread.
    /// </summary>
    public ReadGuard Enter()
    {
        var start = Thread.GetCurrentProcessorId();
        var spin = new SpinWait();
        while (true)
        {
            var epoch = Volatile.Read(ref _words[EpochWord]);
            for (var probe = 0; probe < MaxReaders; probe++)
            {
                var slot = (int)((uint)(start + probe) % MaxReaders);
                ref var word = ref Slot(slot);
                if (Volatile.Read(ref word) == 0 && Interlocked.CompareExchange(ref word, epoch, 0) == 0)
                    return new ReadGuard(this, slot);
            }
            spin.SpinOnce();
        }
    }

    /// <summary>Begins a new epoch; call after the durable sequence was published. Writer only.</summary>
    /// <returns>The new epoch: readers that enter from now on carry at least this.</returns>
    public long Advance() => Interlocked.Increment(ref _words[EpochWord]);

    /// <summary>The epoch of the reader that has been in longest; <see cref="long.MaxValue"/> when nobody is in. Writer only.</summary>
    public long OldestActive()
    {
        Interlocked.MemoryBarrier();
        var oldest = long.MaxValue;
        for (var slot = 0; slot < MaxReaders; slot++)
        {
            var epoch = Volatile.Read(ref Slot(slot));
            if (epoch != 0 && epoch < oldest) oldest = epoch;
        }
        return oldest;
    }

    internal void Leave(int slot) => Volatile.Write(ref Slot(slot), 0);

    private ref long Slot(int slot) => ref _words[FirstSlotWord + slot * WordsPerSlot];
}

/// <summary>
/// One reader's stay. A ref struct, so that it cannot outlive its stack frame or cross an await. Do not copy it.
/// </summary>
public ref struct ReadGuard
{
    private readonly int _slot;
    private ReadEpochs? _epochs;

    internal ReadGuard(ReadEpochs epochs, int slot)
    {
        _epochs = epochs;
        _slot = slot;
    }

    /// <summary>Leaves: spans taken under this guard must not be used any more.</summary>
    public void Dispose()
    {
        _epochs?.Leave(_slot);
        _epochs = null;
    }
}
