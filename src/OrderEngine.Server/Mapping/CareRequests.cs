// Requests for the customer's sake to commands: confirmation, notes, and what an order has beside the ordinary. Any thread.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps what is asked for the customer's sake.</summary>
internal static class CareRequests
{
    /// <summary>The customer's word.</summary>
    public static Mapped<ConfirmOrder> Map(ConfirmOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ConfirmOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ConfirmOrder
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order,
        };
    }

    /// <summary>A note.</summary>
    public static ValueTask<Mapped<AddNote>> MapAsync(AddNoteRequest request, StateReader reader, PersonalVault vault) =>
        OrderPerson.WithTextAsync(Read(request, reader, vault), note => note.Order, request.Text, reader, vault);

    private static Mapped<AddNote> Read(AddNoteRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.AddNote, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        if (request.Text.Length == 0) violations.Add("text", "is required");
        Fields.CheckText(ref violations, "text", request.Text, Limits.PersonalNoteBytes);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new AddNote
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order,
            NoteRules = ReviewRequests.NoteRules([request.Text], OrderPerson.Of(reader, order).Channel, reader),
        };
    }
}

/// <summary>Maps erasures.</summary>
internal static class ErasureRequests
{
    /// <summary>Of a customer.</summary>
    public static Mapped<EraseCustomer> Map(EraseCustomerRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.EraseCustomer, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "customer_id", request.CustomerId);
        var customer = references.Customer("customer_id", request.CustomerId);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new EraseCustomer
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, Customer = customer,
        };
    }

    /// <summary>Of a guest's order.</summary>
    public static Mapped<EraseOrder> Map(EraseOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.EraseOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new EraseOrder
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, Order = order,
        };
    }

    /// <summary>The answer: without an event it was so before.</summary>
    public static EraseResponse Erased(in CommandAnswer answer) => answer.Event.IsEmpty
        ? new EraseResponse { Sequence = answer.Sequence, AlreadyErased = true }
        : new EraseResponse { Sequence = new Core.Events.EventView(answer.Event.Span).Sequence, Replayed = answer.Replayed };
}

/// <summary>Whose personal data goes with an order.</summary>
internal static class OrderPerson
{
    /// <summary>An order's channel and customer; 0 when there is no such order.</summary>
    public static (int Channel, int Customer) Of(StateReader reader, long order)
    {
        using var guard = reader.Enter();
        var view = reader.Order(order, long.MaxValue);
        return view.Exists ? (view.Head.Channel, view.Head.Customer) : (0, 0);
    }

    /// <summary>The command with its text, sealed: once everything else of the request is sound, so that what is refused leaves no key behind.</summary>
    /// <param name="mapped">The command without its text, or its refusal.</param>
    /// <param name="order">The number of the order that a command is about; 0: there is none.</param>
    /// <param name="text">The text; empty: none.</param>
    /// <param name="reader">For the order's person.</param>
    /// <param name="vault">Seals it.</param>
    public static async ValueTask<Mapped<T>> WithTextAsync<T>(Mapped<T> mapped, Func<T, long> order, string text, StateReader reader, PersonalVault vault)
        where T : Command, ISealedText
    {
        if (mapped.Command is not { } command || text.Length == 0) return mapped;
        if (!vault.MaySeal) return Errors.Status(ErrorReason.DiskLow);
        command.Text = await SealAsync(reader, vault, order(command), text);
        return mapped;
    }

    /// <summary>
    /// Seals a text about an order under its customer's key; of a guest, under the key that the order has already, or else a new one. None when there is
    /// no such order.
    /// </summary>
    private static async ValueTask<SealedData> SealAsync(StateReader reader, PersonalVault vault, long order, string text)
    {
        var (channel, customer) = Of(reader, order);
        if (channel == 0) return default;
        var details = new PersonalDetails { Note = text };
        var key = customer == 0 ? reader.GuestKey(order) : 0;
        return key != 0 ? vault.SealUnder(key, details) : await vault.SealAsync(Texts.Customer(reader, customer), customer, details);
    }
}

/// <summary>Attributes and special requests on their way in.</summary>
internal static class Extras
{
    private const string AttributesPath = "order.extras.attributes", RequestsPath = "order.extras.special_requests";

    /// <summary>Checks what an order has beside the ordinary.</summary>
    public static void Check(ref Violations violations, Contracts.V1.OrderExtras? extras, int lines)
    {
        if (extras is null) return;
        if (Fields.CheckCount(ref violations, AttributesPath, extras.Attributes.Count, 0, Limits.Attributes))
        {
            var keys = new HashSet<string>(extras.Attributes.Count);
            for (var i = 0; i < extras.Attributes.Count; i++)
            {
                CheckKey(ref violations, new FieldPath(AttributesPath, i, "key"), extras.Attributes[i].Key);
                if (!keys.Add(extras.Attributes[i].Key)) violations.Add(new FieldPath(AttributesPath, i, "key"), "must not come twice");
                CheckValue(ref violations, new FieldPath(AttributesPath, i, "value"), extras.Attributes[i].Value);
            }
        }
        if (!Fields.CheckCount(ref violations, RequestsPath, extras.SpecialRequests.Count, 0, Limits.SpecialRequests)) return;
        for (var i = 0; i < extras.SpecialRequests.Count; i++)
        {
            Fields.CheckRange(ref violations, new FieldPath(RequestsPath, i, "line_number"), extras.SpecialRequests[i].LineNumber, 0, lines);
            if (extras.SpecialRequests[i].Text.Length == 0) violations.Add(new FieldPath(RequestsPath, i, "text"), "is required");
            Fields.CheckText(ref violations, new FieldPath(RequestsPath, i, "text"), extras.SpecialRequests[i].Text, Limits.SpecialRequestBytes);
        }
        if (!violations.Any && Requests(extras).CalculateSize() > PersonalVault.MaxPlaintext)
            violations.Add(RequestsPath, $"must be at most {PersonalVault.MaxPlaintext} bytes in all");
    }

    /// <summary>The special requests alone: what is sealed.</summary>
    public static Contracts.V1.OrderExtras Requests(Contracts.V1.OrderExtras extras) => new() { SpecialRequests = { extras.SpecialRequests } };

    /// <summary>The core's form; null when there is nothing.</summary>
    public static Core.OrderExtras? Map(Contracts.V1.OrderExtras? extras, SealedData requests)
    {
        if (extras is null || extras.Attributes.Count == 0 && requests.Key == 0) return null;
        return new Core.OrderExtras
        {
            SpecialRequests = requests,
            Attributes = [.. extras.Attributes.Select(attribute => new OrderAttribute(Encoding.UTF8.GetBytes(attribute.Key), Encoding.UTF8.GetBytes(attribute.Value)))],
        };
    }

    private static void CheckKey(ref Violations violations, FieldPath path, string key)
    {
        if (key.Length is 0 or > Limits.AttributeKeyBytes || !char.IsAsciiLetterLower(key[0]) || key.AsSpan().ContainsAnyExcept(KeyLetters))
            violations.Add(path, $"must be 1 to {Limits.AttributeKeyBytes} lower-case letters, digits, dots, hyphens and underscores, a letter first");
    }

    private static void CheckValue(ref Violations violations, FieldPath path, string value)
    {
        Fields.CheckText(ref violations, path, value, Limits.AttributeValueBytes);
        foreach (var c in value)
        {
            if (!char.IsControl(c)) continue;
            violations.Add(path, "must not contain control characters");
            return;
        }
    }

    private static readonly System.Buffers.SearchValues<char> KeyLetters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");
}
