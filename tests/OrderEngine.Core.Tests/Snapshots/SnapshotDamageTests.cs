// Proves: blocks that are damaged, missing, repeated or of a newer format are refused with the loader's own exception; without the file's checksums
// around them a flip may pass only where the state hash does not look (an event's bytes), never as another state.

using OrderEngine.Core.Snapshots;
using Xunit;
using static OrderEngine.Core.Tests.Snapshots.SnapshotSupport;

namespace OrderEngine.Core.Tests.Snapshots;

public sealed class SnapshotDamageTests
{
    private static readonly (List<byte[]> Blocks, StateSummary Summary) Small = Take(SnapshotTests.Recorded(21, 120).Core);

    [Fact]
    public void A_flipped_bit_is_refused_or_changes_nothing_that_the_hash_covers()
    {
        var random = new Random(1);
        var refused = 0;
        for (var round = 0; round < 4_000; round++)
        {
            var blocks = Small.Blocks.Select(block => block.ToArray()).ToList();
            var block = blocks[random.Next(blocks.Count)];
            block[random.Next(block.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.Equal(Small.Summary.StateHash, Load(blocks).Seal().StateHash);
            }
            catch (SnapshotContentException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 2_000, 4_000);
    }

    [Fact]
    public void Missing_repeated_and_swapped_blocks_are_refused()
    {
        var blocks = Small.Blocks;
        Assert.True(blocks.Count >= 3);
        for (var i = 0; i < blocks.Count; i++)
        {
            Refused([.. blocks[..i], .. blocks[(i + 1)..]]);
            Refused([.. blocks[..i], blocks[i], .. blocks[i..]]);
            Refused([.. blocks[..i]]);
            for (var length = 0; length < blocks[i].Length; length += 1 + blocks[i].Length / 200) Refused([.. blocks[..i], blocks[i][..length], .. blocks[(i + 1)..]]);
        }
        Refused([blocks[1], blocks[0], .. blocks[2..]]);
        Load(blocks, Small.Summary);
    }

    [Fact]
    public void A_newer_format_and_unknown_fields_are_refused()
    {
        Assert.Contains("format 99", Refused([[0x12, 0x04, 0x08, 0x63, 0x10, 0x01]]).Message, StringComparison.Ordinal);
        Assert.Contains("newer", Refused([[0x12, 0x06, 0x08, 0x01, 0x10, 0x01, 0x18, 0x01]]).Message, StringComparison.Ordinal);
        Assert.Contains("newer", Refused([Small.Blocks[0], [0x08, 0x01, 0xA2, 0x06, 0x00]]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_goes_into_an_empty_core_only() =>
        Assert.Throws<ArgumentException>(() => new SnapshotLoader(SnapshotTests.Recorded(1, 5).Core));

    [Fact]
    public void A_walk_that_does_not_come_to_the_recorded_hash_is_refused()
    {
        var core = SnapshotTests.Recorded(2, 60).Core;
        var published = core.Seal();
        Assert.Throws<SnapshotContentException>(() => Take(core, published with { StateHash = published.StateHash ^ 1 }));
        Assert.Throws<SnapshotContentException>(() => Take(core, published with { Orders = published.Orders + 1 }));
    }

    private static SnapshotContentException Refused(List<byte[]> blocks) => Assert.Throws<SnapshotContentException>(() => Load(blocks));
}
