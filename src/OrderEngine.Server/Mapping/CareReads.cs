// Notes, attributes and special requests as they stand, for clients. Inside a read guard that the caller holds; unsealed outside of it.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes what belongs to customer care from events.</summary>
internal static class CareReads
{
    /// <summary>The attributes of an acceptance; null when it has none.</summary>
    public static V1.OrderExtras? Attributes(Journaled.OrderSubmitted submitted)
    {
        if (submitted.Attributes is not { } attributes) return null;
        var extras = new V1.OrderExtras();
        foreach (var one in attributes.Attributes_) extras.Attributes.Add(new V1.Attribute { Key = one.Key, Value = one.Value });
        return extras;
    }

    /// <summary>Adds an order's notes, newest first, without their texts.</summary>
    public static void AddNotes(StateReader reader, Order order, int count, long number, long at)
    {
        for (var cursor = 0L; order.Notes.Count < count && reader.PreviousEvent(number, at, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind != EventKind.NoteAdded) continue;
            order.Notes.Add(new OrderNote
            {
                Actor = new Actor { Id = Encoding.UTF8.GetString(e.Actor), Role = (V1.Role)e.Role }, CreateTime = Texts.Time(e.Time), Sequence = e.Sequence,
            });
        }
    }

    /// <summary>The sealed texts of an order: its special requests, and its notes by the sequences of their events.</summary>
    public static (SealedData Requests, List<(long Sequence, SealedData Text)> Notes) SealedTexts(StateReader reader, Order order, long number)
    {
        var requests = OrderReads.SealedIn(new EventView(reader.FirstEvent(number)).Body, PersonalFields.SubmittedSpecialRequests);
        var notes = new List<(long, SealedData)>(order.Notes.Count);
        for (var cursor = 0L; notes.Count < order.Notes.Count && reader.PreviousEvent(number, order.Sequence, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.NoteAdded) notes.Add((e.Sequence, OrderReads.SealedIn(e.Body, PersonalFields.NoteText)));
        }
        return (requests, notes);
    }

    /// <summary>Adds the texts of an order to it.</summary>
    public static void AddTexts(PersonalVault vault, Order order, SealedData requests, List<(long Sequence, SealedData Text)> notes)
    {
        if (requests.Key != 0 && vault.TryUnseal(requests.Key, requests.Ciphertext, out var plaintext))
            (order.Extras ??= new V1.OrderExtras()).MergeFrom(V1.OrderExtras.Parser.ParseFrom(plaintext));
        foreach (var (sequence, text) in notes)
            if (vault.Unseal(text) is { } note) order.Notes.Single(one => one.Sequence == sequence).Text = note.Note;
    }
}
