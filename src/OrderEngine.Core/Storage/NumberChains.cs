// Owns: for each key the numbers that belong to it, in the order in which they came, which is their own order.
// Runs on: Append on the writer thread; everything else on any thread.
//
// A number belongs to one key at most and stays. Each knows the one before it, and one further back: those jumps are of lengths that let any
// member be found in some 2 log2(n) steps (E. Myers, An applicative random-access stack, 1983). A node never changes, so readers need no care:
// those that begin at a chain's last member see all of it.

namespace OrderEngine.Core.Storage;

/// <summary>Growing lists of rising numbers, one a key: 12 bytes a number, 4 a key.</summary>
public sealed class NumberChains
{
    private readonly ChunkedArray<uint> _last = new();
    private readonly ChunkedArray<Node> _nodes = new();

    private struct Node
    {
        public uint Previous;
        public uint Further;
        // From 1, within its chain.
        public uint Ordinal;
    }

    /// <summary>Puts a number at the end of a key's chain; it lies above all that are in it. Writer only.</summary>
    public void Append(int key, long number)
    {
        ref var last = ref _last[key];
        if (number <= last) throw new InvalidOperationException($"Number {number} does not follow {last}.");
        ref var node = ref _nodes[checked((uint)number)];
        node.Previous = last;
        if (last == 0)
        {
            node.Ordinal = 1;
        }
        else
        {
            ref readonly var before = ref _nodes[last];
            ref readonly var further = ref _nodes[before.Further];
            node.Ordinal = before.Ordinal + 1;
            node.Further = before.Ordinal - further.Ordinal == further.Ordinal - _nodes[further.Further].Ordinal ? further.Further : last;
        }
        Volatile.Write(ref last, (uint)number);
    }

    /// <summary>The last member of a key's chain; 0 when it has none. Any thread.</summary>
    public long Last(int key)
    {
        ref var last = ref _last.Peek(key);
        return System.Runtime.CompilerServices.Unsafe.IsNullRef(in last) ? 0 : Volatile.Read(ref last);
    }

    /// <summary>The place of a member in its chain, from 1; 0 for number 0. Any thread.</summary>
    public long Ordinal(long member) => At(member).Ordinal;

    /// <summary>The member before one; 0 when it is the first. Any thread.</summary>
    public long Before(long member) => At(member).Previous;

    /// <summary>The last member of a key's chain that lies at or below a number; 0 when there is none. Any thread.</summary>
    public long AtOrBelow(int key, long number)
    {
        var member = Last(key);
        while (member > number)
        {
            var node = At(member);
            member = node.Further > number ? node.Further : node.Previous;
        }
        return member;
    }

    /// <summary>The member at a place at or before another member's; 0 for place 0. Any thread.</summary>
    public long AtOrdinal(long from, long ordinal)
    {
        var member = from;
        for (var node = At(member); node.Ordinal > ordinal; node = At(member))
            member = At(node.Further).Ordinal >= ordinal ? node.Further : node.Previous;
        return member;
    }

    private Node At(long member) => _nodes.TryRead(member, out var node) ? node : default;
}
