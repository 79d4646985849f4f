// Proves: orderctl journal repair changes nothing until told to, names the orders that would be lost, and gives them up only with --accept-loss.
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

    private static byte[] Payload(int sequence) =>
        new Events { Events_ = { new Event { Sequence = (ulong)sequence, Order = 100 + (ulong)sequence } } }.ToByteArray();
}
