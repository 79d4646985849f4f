// Rows of the bad-input table: lists of orders and exceptions, and the end of an exception.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Server.Tests.Kit;
using Role = OrderEngine.Contracts.V1.Role;

namespace OrderEngine.Server.Tests.BadInput;

internal static class ListTable
{
    public static IEnumerable<Case> Rows() => [.. Orders(), .. Export(), .. Exceptions(), .. Resolutions(), .. Deadlines()];

    private static IEnumerable<Case> Orders()
    {
        var list = Rpc<ListOrdersRequest>.Unary("ListOrders", _ => new ListOrdersRequest(), async (server, request) => await server.Orders.ListOrdersAsync(request));
        foreach (var row in list.Id("channel_id", (request, id) => request.ChannelId = id, required: false, unknown: ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in list.Id("customer_id", (request, id) => request.CustomerId = id, required: false, unknown: ErrorReason.CustomerNotFound)) yield return row;
        yield return list.Ok("states", "of 100", request => Table.Fill(100, () => request.States.Add(Contracts.V1.OrderState.Ready)));
        yield return list.Bad("states", "of 101", request => Table.Fill(101, () => request.States.Add(Contracts.V1.OrderState.Ready)));
        yield return list.Bad("states", "unspecified", request => request.States.Add(Contracts.V1.OrderState.Unspecified), "states[0]");
        yield return list.Bad("states", "unknown", request => request.States.Add((Contracts.V1.OrderState)99), "states[0]");
        foreach (var row in list.Number("tiers", (request, tier) => request.Tiers.Add((int)tier), 0, 9, "tiers[0]")) yield return row;
        yield return list.Bad("tiers", "of 101", request => Table.Fill(101, () => request.Tiers.Add(1)));
        yield return list.Ok("with_exception", "asked for", request => request.WithException = true);
        foreach (var row in list.Choice<Contracts.V1.ExceptionKind>("exception_kind", (request, kind) => request.ExceptionKind = kind, Contracts.V1.ExceptionKind.RefundDue)) yield return row;
        foreach (var row in Times(list, "accepted_since", (request, time) => request.AcceptedSince = time)) yield return row;
        foreach (var row in Times(list, "accepted_before", (request, time) => request.AcceptedBefore = time)) yield return row;
        yield return list.Ok("oldest_first", "asked for", request => request.OldestFirst = true);
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        yield return list.Bad("page_token", "of another filter", request => request.PageToken = new Mapping.Token(Mapping.TokenKind.OrderList, 1, 0, 77).ToString());
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Export()
    {
        var export = Rpc<ExportOrdersRequest>.Unary("ExportOrders", _ => new ExportOrdersRequest(), async (server, request) =>
        {
            using var call = server.Orders.ExportOrders(request);
            while (await call.ResponseStream.MoveNext(default)) { }
        });
        foreach (var row in export.Id("channel_id", (request, id) => request.ChannelId = id, required: false, unknown: ErrorReason.ChannelNotFound)) yield return row;
        yield return export.Ok("states", "of 100", request => Table.Fill(100, () => request.States.Add(Contracts.V1.OrderState.Ready)));
        yield return export.Bad("states", "of 101", request => Table.Fill(101, () => request.States.Add(Contracts.V1.OrderState.Ready)));
        yield return export.Bad("states", "unspecified", request => request.States.Add(Contracts.V1.OrderState.Unspecified), "states[0]");
        yield return export.Bad("states", "unknown", request => request.States.Add((Contracts.V1.OrderState)99), "states[0]");
        foreach (var row in Times(export, "accepted_since", (request, time) => request.AcceptedSince = time)) yield return row;
        foreach (var row in Times(export, "accepted_before", (request, time) => request.AcceptedBefore = time)) yield return row;
        yield return export.Ok("include_history", "asked for", request => request.IncludeHistory = true);
        yield return export.Ok("include_personal_data", "asked for", request => request.IncludePersonalData = true);
        yield return export.Bad("resume_token", "no token", request => request.ResumeToken = "x");
        yield return export.Bad("resume_token", "of a list", request => request.ResumeToken = new Mapping.Token(Mapping.TokenKind.OrderList, 1, 0, 77).ToString());
        foreach (var row in export.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Times<T>(Rpc<T> rpc, string field, Action<T, Timestamp> set) where T : Google.Protobuf.IMessage<T>
    {
        yield return rpc.Ok(field, "the first", request => set(request, new Timestamp { Nanos = 1_000 }));
        yield return rpc.Ok(field, "the last", request => set(request, new Timestamp { Seconds = 253_402_300_799, Nanos = 999_999_999 }));
        yield return rpc.Bad(field, "1970", request => set(request, new Timestamp()));
        yield return rpc.Bad(field, "beyond the year 9999", request => set(request, new Timestamp { Seconds = 253_402_300_800 }));
        yield return rpc.Bad(field, "with negative nanos", request => set(request, new Timestamp { Seconds = 1, Nanos = -1 }));
    }

    private static IEnumerable<Case> Exceptions()
    {
        var list = Rpc<ListExceptionsRequest>.Unary("ListExceptions", _ => new ListExceptionsRequest(), async (server, request) => await server.Admin.ListExceptionsAsync(request));
        yield return list.Ok("grades", "of 100", request => Table.Fill(100, () => request.Grades.Add(Contracts.V1.Grade.High)));
        yield return list.Bad("grades", "of 101", request => Table.Fill(101, () => request.Grades.Add(Contracts.V1.Grade.High)));
        yield return list.Bad("grades", "unspecified", request => request.Grades.Add(Contracts.V1.Grade.Unspecified), "grades[0]");
        yield return list.Bad("grades", "unknown", request => request.Grades.Add((Contracts.V1.Grade)99), "grades[0]");
        foreach (var row in list.Choice<Role>("owner", (request, role) => request.Owner = role, Role.System)) yield return row;
        foreach (var row in list.Choice<Contracts.V1.ExceptionKind>("kind", (request, kind) => request.Kind = kind, Contracts.V1.ExceptionKind.RefundDue)) yield return row;
        foreach (var row in list.Id("order_id", (request, id) => request.OrderId = id, required: false, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in list.Choice<ExceptionState>("state", (request, state) => request.State = state, ExceptionState.Any)) yield return row;
        yield return list.Ok("oldest_first", "asked for", request => request.OldestFirst = true);
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        yield return list.Bad("page_token", "of another filter", request => request.PageToken = new Mapping.Token(Mapping.TokenKind.Exceptions, 1, 0, 77).ToString());
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Deadlines()
    {
        var set = Rpc<SetDeadlinesRequest>.Unary("SetDeadlines", _ => new SetDeadlinesRequest { RequestId = Shop.NewId(), Settings = new DeadlineSettings() },
            async (server, request) => await server.Catalog.SetDeadlinesAsync(request));
        foreach (var row in set.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return row;
        yield return set.Bad("settings", "missing", request => request.Settings = null);
        foreach (var row in set.Etag("settings.etag", (request, etag) => request.Settings.Etag = etag)) yield return row;
        foreach (var row in Durations(set, "settings.release_after", (request, time) => request.Settings.ReleaseAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.delivery_after", (request, time) => request.Settings.DeliveryAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.earmark_after", (request, time) => request.Settings.EarmarkAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.remind_before", (request, time) => request.Settings.RemindBefore = time)) yield return row;
        foreach (var row in Durations(set, "settings.payment_after", (request, time) => request.Settings.PaymentAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.cash_after", (request, time) => request.Settings.CashAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.return_arrival_after", (request, time) => request.Settings.ReturnArrivalAfter = time)) yield return row;
        foreach (var row in Durations(set, "settings.return_close_after", (request, time) => request.Settings.ReturnCloseAfter = time)) yield return row;
        yield return set.Ok("settings.hold_remind_before", "zero", request => request.Settings.HoldRemindBefore = new Duration());
        yield return set.Ok("settings.hold_remind_before", "12 hours", request => request.Settings.HoldRemindBefore = new Duration { Seconds = Limits.HoldRemindSeconds });
        yield return set.Bad("settings.hold_remind_before", "negative", request => request.Settings.HoldRemindBefore = new Duration { Seconds = -1 });
        yield return set.Bad("settings.hold_remind_before", "not whole seconds", request => request.Settings.HoldRemindBefore = new Duration { Nanos = 1 });
        yield return set.Bad("settings.hold_remind_before", "beyond 12 hours", request => request.Settings.HoldRemindBefore = new Duration { Seconds = Limits.HoldRemindSeconds + 1 });
        yield return set.Bad("settings.stalls", "of 101", request => Table.Fill(101, () => Stall(request, Contracts.V1.OrderState.Ready, 1)));
        yield return set.Ok("settings.stalls.state", "that orders leave", request => Stall(request, Contracts.V1.OrderState.Shipped, 1));
        yield return set.Bad("settings.stalls.state", "twice", request => Table.Fill(2, () => Stall(request, Contracts.V1.OrderState.Ready, 1)), "settings.stalls[1].state");
        yield return set.Bad("settings.stalls.state", "unspecified", request => Stall(request, Contracts.V1.OrderState.Unspecified, 1), "settings.stalls[0].state");
        yield return set.Bad("settings.stalls.state", "unknown", request => Stall(request, (Contracts.V1.OrderState)99, 1), "settings.stalls[0].state");
        yield return set.Bad("settings.stalls.state", "that orders end in", request => Stall(request, Contracts.V1.OrderState.Cancelled, 1), "settings.stalls[0].state");
        yield return set.Bad("settings.stalls.after", "zero", request => Stall(request, Contracts.V1.OrderState.Ready, 0), "settings.stalls[0].after");
        yield return set.Bad("settings.stalls.after", "beyond 3 years", request => Stall(request, Contracts.V1.OrderState.Ready, Limits.LeadTimeSeconds + 1), "settings.stalls[0].after");
    }

    private static void Stall(SetDeadlinesRequest request, Contracts.V1.OrderState state, long seconds) =>
        request.Settings.Stalls.Add(new Contracts.V1.StallTime { State = state, After = new Duration { Seconds = seconds } });

    private static IEnumerable<Case> Durations<T>(Rpc<T> rpc, string field, Action<T, Duration> set) where T : Google.Protobuf.IMessage<T>
    {
        yield return rpc.Ok(field, "zero", request => set(request, new Duration()));
        yield return rpc.Ok(field, "of 3 years", request => set(request, new Duration { Seconds = Limits.LeadTimeSeconds }));
        yield return rpc.Bad(field, "beyond 3 years", request => set(request, new Duration { Seconds = Limits.LeadTimeSeconds + 1 }));
        yield return rpc.Bad(field, "negative", request => set(request, new Duration { Seconds = -1 }));
        yield return rpc.Bad(field, "of half a second", request => set(request, new Duration { Nanos = 500_000_000 }));
    }

    private static IEnumerable<Case> Resolutions()
    {
        // The table's orders that wait for stock raise some; never so many.
        var resolve = Rpc<ResolveExceptionRequest>.Unary("ResolveException", _ => new ResolveExceptionRequest { RequestId = Shop.NewId(), ExceptionId = PublicId.Format(PublicId.Exception, 1L << 40) },
            async (server, request) => await server.Admin.ResolveExceptionAsync(request)).LeadingTo(ErrorReason.ExceptionNotFound);
        foreach (var row in resolve.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Warehouse, Role.Customer, Role.System)) yield return row;
        foreach (var row in resolve.Id("exception_id", (request, id) => request.ExceptionId = id)) yield return row;
        foreach (var row in resolve.Etag("etag", (request, etag) => request.Etag = etag))
            if (row.Reason == ErrorReason.InvalidField) yield return row;
        foreach (var row in resolve.Text("resolution", (request, text) => request.Resolution = text, 256)) yield return row;
        foreach (var row in resolve.Reason("reason", (request, reason) => request.Reason = reason)) yield return row;
    }
}
