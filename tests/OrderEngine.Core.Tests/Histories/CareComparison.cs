// Compares what the core shows of customer care with what the model holds. One thread, inside a guard.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class CareComparison
{
    public static void Order(OrderCore core, ModelOrder expected)
    {
        var head = core.Reader.Order(expected.Number, core.Sequence).Head;
        var extras = expected.Submitted.Extras;
        Assert.Equal((expected.Notes.Count, extras?.Attributes.Length > 0, extras?.SpecialRequests.Key > 0),
            (head.Notes, (head.Details & OrderDetails.Attributes) != 0, (head.Details & OrderDetails.SpecialRequests) != 0));
        if (head.Notes == 0) return;
        var notes = new List<(long, string)>();
        for (long cursor = 0; core.Reader.PreviousEvent(expected.Number, core.Sequence, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.NoteAdded) notes.Add((e.Sequence, Convert.ToHexString(Ciphertext(e.Body))));
        }
        Assert.Equal(Enumerable.Reverse(expected.Notes), notes);
    }

    private static byte[] Ciphertext(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == PersonalFields.NoteText) return SealedData.Read(reader.Bytes()).Ciphertext;
            reader.Skip(wireType);
        }
        return [];
    }
}
