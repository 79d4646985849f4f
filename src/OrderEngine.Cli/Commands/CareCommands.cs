// Owns order confirm and note. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class CareCommands
{
    public static Command Confirm(Runner run)
    {
        var command = new Command("confirm", "Say that the customer wants the order, where its channel asks for that.");
        var id = OrderCommands.OrderId();
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await session.Client.Orders.ConfirmOrderAsync(
                new ConfirmOrderRequest { RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "" }, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say(answer.Open.Count > 0 ? $"Confirmed; still held: {string.Join(", ", answer.Open.Select(Values.Upper))}." : "Confirmed.");
                s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
            });
        });
    }

    public static Command Note(Runner run)
    {
        var command = new Command("note", "Add a note to an order. It is kept as personal data.");
        var id = OrderCommands.OrderId();
        var text = new Argument<string>("TEXT") { Description = "At most 1,024 bytes." };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        command.Add(text);
        command.Add(etag);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await session.Client.Orders.AddNoteAsync(new AddNoteRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Text = session.Get(text), Etag = session.Get(etag) ?? "",
            }, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say(answer.ReviewRuleIds.Count > 0 ? $"Noted. Its words are looked for by {string.Join(", ", answer.ReviewRuleIds)}: see the order's holds." : "Noted.");
                s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
            });
        });
    }

    /// <summary>What an order has beside the ordinary, for people.</summary>
    public static void Show(Session session, Order order)
    {
        if (order.Erased)
            session.Say("its person was erased");
        foreach (var attribute in order.Extras?.Attributes ?? [])
            session.Say($"attribute {attribute.Key} = {attribute.Value}");
        foreach (var request in order.Extras?.SpecialRequests ?? [])
            session.Say($"special request{(request.LineNumber == 0 ? "" : $" for line {request.LineNumber}")}: {request.Text}");
        if (order.Care is { } care)
        {
            session.Fields(("complaints", care.Complaints == 0 ? "" : $"{Session.Number(care.Complaints)}, {Session.Number(care.OpenComplaints)} open"),
                ("rating", care.Rating == 0 ? "" : $"{Session.Number(care.Rating)} of 5  {care.FeedbackText}".TrimEnd()));
        }

        foreach (var note in order.Notes)
            session.Say($"note {Session.Time(note.CreateTime)} by {(note.Actor.Id.Length > 0 ? note.Actor.Id : "anonymous")} ({Values.Upper(note.Actor.Role)}): {(note.Text.Length > 0 ? note.Text : "(not shown)")}");
    }
}
