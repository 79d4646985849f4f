// Owns: the one step of which every SipHash is made. Pure; any thread.

using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Storage;

/// <summary>SipRound (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).</summary>
public static class SipRound
{
    /// <summary>Mixes the four words of the state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mix(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
