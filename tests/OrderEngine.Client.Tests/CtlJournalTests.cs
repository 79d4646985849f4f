// Proves: orderctl journal repair changes nothing until told to, names the orders that would be lost, and gives them up only with --accept-loss. Verify counts
// the archive, names what is damaged or missing of it, and repair takes it along.
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Journal;

namespace OrderEngine.Client.Tests;

public sealed class CtlJournalTests
{
    private const int Batches = 6, Damaged = 4;

    [Fact]
    public async Task A_repair_names_what_would_be_lost_and_waits_to_be_told()
    {
        using var scratch = new Scratch();
        var data = scratch["data"];
        await using (var journal = FasterJournal.Open(new JournalOptions { Directory = data }, 1, _ => { }))
        {
            for (var sequence = 1; sequence <= Batches; sequence++)
                await journal.AppendAsync(new JournalBatch(1, sequence, sequence, Payload(sequence)));
        }
        var sound = await Ctl.RunAsync(null, "journal", "repair", data);
        Assert.Equal((0, true), (sound.Code, sound.Out.Contains("nothing to repair", StringComparison.Ordinal)));

        var log = Path.Combine(data, "journal", "log.000000");
        var bytes = await File.ReadAllBytesAsync(log);
        bytes[bytes.AsSpan().IndexOf(Payload(Damaged)) + 1] ^= 4;
        await File.WriteAllBytesAsync(log, bytes);
        var verified = await Ctl.RunAsync(null, "journal", "verify", data);
        Assert.Equal((1, true), (verified.Code, verified.Out.Contains("would be refused", StringComparison.Ordinal)));

        foreach (var timid in new string[][] { [], ["--yes"], ["--accept-loss"] })
        {
            var told = await Ctl.RunAsync(null, ["journal", "repair", data, .. timid]);
            Assert.Equal(1, told.Code);
            Assert.Contains("sequences 1 to 3", told.Out, StringComparison.Ordinal);
            Assert.Contains("WOULD BE LOST: sequences 4 to 6; what was in 4 to 4 cannot be read; of them 2 events can still be read, of orders "
                + $"{OrderEngine.Core.PublicId.Format('o', 105)}, {OrderEngine.Core.PublicId.Format('o', 106)}.", told.Out, StringComparison.Ordinal);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(log));
        }
        var done = await Ctl.RunAsync(null, "journal", "repair", data, "--yes", "--accept-loss");
        Assert.Equal(0, done.Code);
        Assert.Equal(0, (await Ctl.RunAsync(null, "journal", "verify", data)).Code);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(data, "repaired.1", "journal", "log.000000")));
        await using var again = FasterJournal.Open(new JournalOptions { Directory = data }, 1, _ => { });
        Assert.Equal(3, again.LastSequence);
    }

    [Fact]
    public async Task The_archive_is_verified_and_goes_along_with_a_repair()
    {
        using var scratch = new Scratch();
        var data = scratch["data"];
        await using (var journal = FasterJournal.Open(new JournalOptions { Directory = data }, 1, _ => { }))
        {
            var files = new ArchiveStore(data);
            files.Open(0);
            var end = files.Append([new ArchiveEntry(101, 1, 1, new byte[300]), new ArchiveEntry(102, 2, 2, new byte[300])]);
            for (var sequence = 1; sequence <= Batches; sequence++) await journal.AppendAsync(new JournalBatch(1, sequence, sequence, sequence == 1 ? Archived(end) : Payload(sequence)));
        }
        var sound = await Ctl.RunAsync(null, "journal", "verify", data);
        Assert.Equal(0, sound.Code);
        Assert.Contains("2 records", sound.Out, StringComparison.Ordinal);

        var segment = Path.Combine(data, "archive", "000000.seg");
        var whole = await File.ReadAllBytesAsync(segment);
        var damaged = whole.ToArray();
        damaged[^1] ^= 4;
        await File.WriteAllBytesAsync(segment, damaged);
        await TellsAsync(data, "the archived order 102 cannot be read");
        await File.WriteAllBytesAsync(segment, whole[..^1]);
        await TellsAsync(data, "Archived orders are missing");
        File.Delete(segment);
        await TellsAsync(data, "Archived orders are missing");
        await File.WriteAllBytesAsync(segment, whole);

        var log = Path.Combine(data, "journal", "log.000000");
        var bytes = await File.ReadAllBytesAsync(log);
        bytes[bytes.AsSpan().IndexOf(Payload(Damaged)) + 1] ^= 4;
        await File.WriteAllBytesAsync(log, bytes);
        Assert.Equal(0, (await Ctl.RunAsync(null, "journal", "repair", data, "--yes", "--accept-loss")).Code);
        Assert.Equal(whole, await File.ReadAllBytesAsync(Path.Combine(data, "repaired.1", "archive", "000000.seg")));
        // Of the repaired journal's own identity, with the same orders in it.
        Assert.NotEqual(whole, await File.ReadAllBytesAsync(segment));
        Assert.Equal(whole[^600..], (await File.ReadAllBytesAsync(segment))[^600..]);
        var repaired = await Ctl.RunAsync(null, "journal", "verify", data);
        Assert.Equal((0, true), (repaired.Code, repaired.Out.Contains("2 records", StringComparison.Ordinal)));
    }

    private static async Task TellsAsync(string data, string damage)
    {
        var told = await Ctl.RunAsync(null, "journal", "verify", data);
        Assert.Equal(1, told.Code);
        Assert.Contains(damage, told.Out, StringComparison.Ordinal);
    }

    private static byte[] Archived(long position) =>
        new Events { Events_ = { new Event { Sequence = 1, OrderArchived = new OrderArchived { Order = 102, Position = (ulong)position } } } }.ToByteArray();

    private static byte[] Payload(int sequence) =>
        new Events { Events_ = { new Event { Sequence = (ulong)sequence, Order = 100 + (ulong)sequence } } }.ToByteArray();
}
