// Owns: what is said ahead about memory: to the processor's cache, which changes nothing but how long a later read takes, and to the system.
// Runs on: any thread; Touch on the one that has made the array and shown it to nobody yet.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace OrderEngine.Core.Storage;

/// <summary>Hints to the processor's cache and to the system's memory.</summary>
internal static class Cache
{
    /// <summary>Says that what lies here will be read soon. Without effect where the processor has no such instruction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch<T>(ref readonly T place)
    {
        // The state's chunks are pinned, and a hint for an address that is not there does no harm.
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.AsRef(in place)));
    }

    /// <summary>
    /// Has the system give a new array its memory now. Where memory is read before it is written, as an index's is, the system first shares a page of zeros,
    /// then takes it back and interrupts the other processors to say so.
    /// </summary>
    public static void Touch<T>(T[] zeros) where T : unmanaged
    {
        const int pageBytes = 4096;
        var bytes = MemoryMarshal.AsBytes(zeros.AsSpan());
        for (var at = 0; at < bytes.Length; at += pageBytes) Volatile.Write(ref bytes[at], 0);
    }
}
