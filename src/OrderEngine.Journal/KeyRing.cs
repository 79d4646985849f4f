// The keys of personal data (design rule 13): one 32-byte random key per customer or guest order, in a file of their own.
// Keys are made in blocks that are durable before the first of them is handed out, so that taking one needs no flush.
// Destroying a key erases what was encrypted with it, in journal, snapshots and backups alike, and breaks no chain.
//
// Threads: every member may be called from any thread. Blocks are made on the thread pool, before they are needed.
// The caller holds the data directory's lock (an open FasterJournal does).

using System.Security.Cryptography;

namespace OrderEngine.Journal;

/// <summary>Hands out, finds and destroys keys by number (1, 2, …). See docs/JOURNAL.md.</summary>
public sealed class KeyRing : IDisposable
{
    /// <summary>The length of a key, in bytes.</summary>
    public const int KeySize = KeySlot.KeySize;

    /// <summary>Keys in the first block; each further one of a run is twice as large, up to <see cref="MaxBlock"/>.</summary>
    internal const int FirstBlock = 1024, MaxBlock = 16384;

    private readonly DurableFile file;
    private readonly Disk disk;
    private readonly byte[] engineSecret;
    private readonly Lock sync = new();
    private readonly Lock writeSync = new();
    private long next;
    private long madeUpTo;
    private int blockSize = FirstBlock;
    private Task? making;
    private JournalException? failure;

    private KeyRing(DurableFile file, Disk disk, byte[] engineSecret, long madeUpTo)
    {
        this.file = file;
        this.disk = disk;
        this.engineSecret = engineSecret;
        this.madeUpTo = madeUpTo;
        next = madeUpTo + 1;
    }

    /// <summary>The engine's own secret of 32 bytes, for keyed digests. Made with the data directory, never changes.</summary>
    public ReadOnlyMemory<byte> EngineSecret => engineSecret;

    /// <summary>
    /// Opens the keys of a data directory and checks every slot. Numbers go on behind everything that an earlier process may have
    /// handed out: each start leaves the rest of the last block unused.
    /// </summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="inUseUpTo">The highest number that the journal or a snapshot binds; 0 for none.</param>
    /// <exception cref="JournalException">The file is missing although it is needed, too short, or damaged.</exception>
    public static KeyRing Open(string directory, long inUseUpTo) => Open(directory, inUseUpTo, Disk.Real);

    internal static KeyRing Open(string directory, long inUseUpTo, Disk disk)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inUseUpTo);
        var layout = new DataDirectory(directory, disk);
        if (!File.Exists(layout.Keys))
        {
            if (inUseUpTo > 0 || Directory.Exists(layout.Journal))
            {
                throw new JournalException($"'{layout.Keys}' is missing although the journal needs it: without its keys no personal data can be " +
                    "read. Restore it from the backup of the keys (ordinary backups do not hold it).");
            }
            layout.Create();
            CreateFile(layout);
        }
        DurableFile? file = null;
        try
        {
            file = DurableFile.Open(layout.Keys, create: false, disk);
            return Check(file, disk, inUseUpTo);
        }
        catch (Exception error)
        {
            file?.Dispose();
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new JournalException($"'{layout.Keys}' cannot be read or written: {error.Message}", error);
            }
            throw;
        }
    }

    /// <summary>Makes a keys file with the engine's secret, unless there is one; whole or not at all.</summary>
    internal static void CreateFile(DataDirectory directory)
    {
        if (File.Exists(directory.Keys)) return;
        var temporary = directory.Keys + ".creating";
        directory.Disk.Delete(temporary);
        using (var file = DurableFile.Open(temporary, create: true, directory.Disk))
        {
            file.Write(KeySlot.EncodeHeader(), 0);
            WriteSlots(file, 0, 1);
        }
        directory.Disk.Move(temporary, directory.Keys);
        directory.Disk.FlushDirectory(directory.Root);
    }

    /// <summary>Refuses keys of a newer format, before anything in the directory is touched.</summary>
    /// <exception cref="JournalException">They are.</exception>
    internal static void RefuseNewer(DataDirectory directory)
    {
        if (!File.Exists(directory.Keys)) return;
        var block = new byte[KeySlot.HeaderSize];
        using var file = File.OpenHandle(directory.Keys);
        if (RandomAccess.Read(file, block, 0) < block.Length || !KeySlot.IsNewerHeader(block)) return;
        throw new JournalException($"'{directory.Keys}' is of a newer format than this program knows. " +
            "A newer version wrote it: start that version, or restore a backup made before the upgrade.");
    }

    private static KeyRing Check(DurableFile file, Disk disk, long inUseUpTo)
    {
        var slots = (file.Length - KeySlot.HeaderSize + KeySlot.Size - 1) / KeySlot.Size;
        var block = new byte[KeySlot.HeaderSize];
        if (file.Read(block, 0) < block.Length || !KeySlot.IsHeader(block)) throw Damaged(file, "its header is unreadable");
        if (slots <= inUseUpTo) throw Damaged(file, $"it ends at key {slots - 1}, but the journal uses keys up to {inUseUpTo}");

        var secret = new byte[KeySize];
        var window = new byte[KeySlot.Size * MaxBlock];
        Span<byte> key = stackalloc byte[KeySize];
        for (var number = 0L; number < slots;)
        {
            window.AsSpan().Clear();
            file.Read(window, KeySlot.OffsetOf(number));
            for (var at = 0; at < window.Length && number < slots; at += KeySlot.Size, number++)
            {
                var slot = window.AsSpan(at, KeySlot.Size);
                if (KeySlot.TryDecode(slot, number, out var state, key))
                {
                    if (number == 0) key.CopyTo(secret);
                    if (state == KeySlotState.Destroyed && !KeySlot.IsWhollyDestroyed(slot, number)) WriteDestroyed(file, number);
                    continue;
                }
                if (number <= inUseUpTo) throw Damaged(file, number == 0 ? "the engine's secret is unreadable" : $"key {number} is unreadable");
                // Made by a process that died over it, or damaged since: nothing durable uses it, and nothing ever will.
                WriteDestroyed(file, number);
            }
        }
        CryptographicOperations.ZeroMemory(window);
        return new KeyRing(file, disk, secret, slots - 1);
    }

    /// <summary>The next unused number, at least 1; its key is durable. Blocks only while no key is ready.</summary>
    /// <exception cref="JournalException">Keys can no longer be written; final.</exception>
    public long Take()
    {
        while (true)
        {
            if (TryTake(out var number, out var ready)) return number;
            ready.GetAwaiter().GetResult();
        }
    }

    /// <summary>The next unused number, at least 1; its key is durable. Completes at once unless no key is ready.</summary>
    /// <exception cref="JournalException">Keys can no longer be written; final.</exception>
    public ValueTask<long> TakeAsync() => TryTake(out var number, out var ready) ? new ValueTask<long>(number) : TakeLater(ready);

    private async ValueTask<long> TakeLater(Task ready)
    {
        while (true)
        {
            await ready;
            if (TryTake(out var number, out ready)) return number;
        }
    }

    private bool TryTake(out long number, out Task ready)
    {
        lock (sync)
        {
            if (failure is not null) throw failure;
            if (making is null && madeUpTo - next < blockSize / 2)
            {
                // It may be done at once, and has then said so.
                var made = disk.Background(MakeBlock);
                if (!made.IsCompleted) making = made;
            }
            number = next;
            ready = making ?? Task.CompletedTask;
            if (next > madeUpTo) return false;
            next++;
            return true;
        }
    }

    private void MakeBlock()
    {
        long first;
        int count;
        lock (sync) (first, count) = (madeUpTo + 1, blockSize);
        try
        {
            lock (writeSync) WriteSlots(file, first, count);
            lock (sync)
            {
                madeUpTo = first + count - 1;
                blockSize = Math.Min(blockSize * 2, MaxBlock);
                making = null;
            }
        }
        catch (Exception error)
        {
            lock (sync) failure ??= new JournalException($"Writing '{file.Path}' failed ({error.Message}). Check the disk, then start again.", error);
            throw failure;
        }
    }

    /// <summary>Copies a key; false when it was destroyed or never handed out.</summary>
    /// <param name="number">A number that <see cref="Take"/> returned, in this process or an earlier one.</param>
    /// <param name="key32">At least 32 bytes.</param>
    /// <exception cref="JournalException">The slot is damaged, or cannot be read now.</exception>
    public bool TryGet(long number, Span<byte> key32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key32.Length, KeySize);
        if (!IsHandedOut(number)) return false;
        Span<byte> slot = stackalloc byte[KeySlot.Size];
        try
        {
            file.Read(slot, KeySlot.OffsetOf(number));
            if (KeySlot.TryDecode(slot, number, out var state, key32)) return state == KeySlotState.Live;
            lock (writeSync) // read while it was being destroyed?
            {
                file.Read(slot, KeySlot.OffsetOf(number));
                if (KeySlot.TryDecode(slot, number, out state, key32)) return state == KeySlotState.Live;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"Key {number} in '{file.Path}' cannot be read: {error.Message}", error);
        }
        throw Damaged(file, $"key {number} is unreadable");
    }

    /// <summary>Overwrites a key for ever; durable on return. Destroying it again changes nothing.</summary>
    /// <remarks>Copies that a drive or a file system keeps out of sight (flash translation, copy on write) are beyond reach.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The number was never handed out.</exception>
    /// <exception cref="JournalException">The write failed; final.</exception>
    public void Destroy(long number)
    {
        if (!IsHandedOut(number)) throw new ArgumentOutOfRangeException(nameof(number), number, "No key of this number was handed out.");
        lock (writeSync)
        {
            lock (sync)
            {
                if (failure is not null) throw failure;
            }
            try
            {
                WriteDestroyed(file, number);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                var final = new JournalException($"Destroying key {number} in '{file.Path}' failed ({error.Message}). Check the disk, then start again.", error);
                lock (sync) failure ??= final;
                throw final;
            }
        }
    }

    /// <summary>Copies the file as it is, part by part; every slot of it is whole, and no key in it was destroyed before the call. For backups of the keys.</summary>
    /// <param name="offset">From here on; grows by what is returned.</param>
    /// <param name="to">Holds whole slots.</param>
    /// <returns>Bytes copied; 0 at the end.</returns>
    public int Copy(long offset, Span<byte> to)
    {
        lock (writeSync) return file.Read(to, offset);
    }

    private bool IsHandedOut(long number)
    {
        lock (sync) return number >= 1 && number < next;
    }

    private static void WriteSlots(DurableFile file, long first, int count)
    {
        var bytes = new byte[count * KeySlot.Size];
        Span<byte> key = stackalloc byte[KeySize];
        for (var i = 0; i < count; i++)
        {
            RandomNumberGenerator.Fill(key);
            KeySlot.Encode(bytes.AsSpan(i * KeySlot.Size), first + i, KeySlotState.Live, key);
        }
        file.Write(bytes, KeySlot.OffsetOf(first));
        CryptographicOperations.ZeroMemory(bytes);
        CryptographicOperations.ZeroMemory(key);
    }

    private static void WriteDestroyed(DurableFile file, long number)
    {
        Span<byte> slot = stackalloc byte[KeySlot.Size];
        KeySlot.Encode(slot, number, KeySlotState.Destroyed, default);
        // In this order: see KeySlot.
        file.Write(slot[KeySlot.CrcStart..], KeySlot.OffsetOf(number) + KeySlot.CrcStart);
        file.Write(slot[..KeySlot.CrcStart], KeySlot.OffsetOf(number));
    }

    private static JournalException Damaged(DurableFile file, string what) => new(
        $"'{file.Path}' is damaged: {what}. Restore it from the backup of the keys; starting without it would lose personal data for good.");

    /// <summary>Waits for a block that is being written, then closes the file.</summary>
    public void Dispose()
    {
        Task? last;
        lock (sync) last = making;
        ((IAsyncResult?)last)?.AsyncWaitHandle.WaitOne();
        file.Dispose();
    }
}
