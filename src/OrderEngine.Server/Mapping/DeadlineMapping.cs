// When orders are due: settings to a command, and back from their event's body. Any thread.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps deadlines.</summary>
internal static class DeadlineMapping
{
    /// <summary>New settings.</summary>
    public static Mapped<SetDeadlines> Map(SetDeadlinesRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.SetDeadlines, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckPresent(ref violations, "settings", request.Settings);
        var settings = request.Settings ?? new DeadlineSettings();
        var etag = Fields.Etag(ref violations, "settings.etag", settings.Etag);
        var release = Fields.LeadTime(ref violations, "settings.release_after", settings.ReleaseAfter);
        var delivery = Fields.LeadTime(ref violations, "settings.delivery_after", settings.DeliveryAfter);
        var remind = Fields.LeadTime(ref violations, "settings.remind_before", settings.RemindBefore);
        var earmark = Fields.LeadTime(ref violations, "settings.earmark_after", settings.EarmarkAfter);
        var payment = Fields.LeadTime(ref violations, "settings.payment_after", settings.PaymentAfter);
        var cash = Fields.LeadTime(ref violations, "settings.cash_after", settings.CashAfter);
        var arrival = Fields.LeadTime(ref violations, "settings.return_arrival_after", settings.ReturnArrivalAfter);
        var close = Fields.LeadTime(ref violations, "settings.return_close_after", settings.ReturnCloseAfter);
        var hold = Fields.HoldReminder(ref violations, "settings.hold_remind_before", settings.HoldRemindBefore);
        var stalls = Stalls(ref violations, settings);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new SetDeadlines
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag,
            ReleaseSeconds = release, DeliverySeconds = delivery, RemindSeconds = remind, EarmarkSeconds = earmark, Stalls = stalls,
            PaymentSeconds = payment, CashSeconds = cash, ReturnArrivalSeconds = arrival, ReturnCloseSeconds = close, HoldRemindSeconds = hold,
        };
    }

    /// <summary>The settings of a body (orderengine.journal.DeadlinesDefined); of an empty one: nothing is watched.</summary>
    public static DeadlineSettings Settings(ReadOnlySpan<byte> body, long version)
    {
        var defined = Journaled.DeadlinesDefined.Parser.ParseFrom(body);
        var settings = new DeadlineSettings
        {
            ReleaseAfter = Seconds(defined.ReleaseSeconds), DeliveryAfter = Seconds(defined.DeliverySeconds), RemindBefore = Seconds(defined.RemindSeconds),
            EarmarkAfter = Seconds(defined.EarmarkSeconds), PaymentAfter = Seconds(defined.PaymentSeconds), CashAfter = Seconds(defined.CashSeconds),
            ReturnArrivalAfter = Seconds(defined.ReturnArrivalSeconds), ReturnCloseAfter = Seconds(defined.ReturnCloseSeconds),
            HoldRemindBefore = Seconds(defined.HoldRemindSeconds),
            Sequence = version, Etag = version == 0 ? "" : Texts.Etag(version),
        };
        foreach (var stall in defined.Stalls)
            settings.Stalls.Add(new Contracts.V1.StallTime { State = (Contracts.V1.OrderState)stall.State, After = Seconds(stall.Seconds) });
        return settings;
    }

    private static Core.StallTime[] Stalls(ref Violations violations, DeadlineSettings settings)
    {
        const string Path = "settings.stalls";
        if (!Fields.CheckCount(ref violations, Path, settings.Stalls.Count, 0, ServerLimits.ListChoices)) return [];
        var stalls = new Core.StallTime[settings.Stalls.Count];
        var seen = new HashSet<Contracts.V1.OrderState>();
        for (var i = 0; i < stalls.Length; i++)
        {
            var (state, after) = (settings.Stalls[i].State, settings.Stalls[i].After);
            var path = new FieldPath(Path, i, "state");
            Fields.CheckEnum(ref violations, path, state);
            if (state == Contracts.V1.OrderState.Unspecified || OrderStates.IsTerminal((Core.OrderState)state)) violations.Add(path, "must be a state that an order leaves again");
            if (!seen.Add(state)) violations.Add(path, "must not come twice");
            var seconds = Fields.LeadTime(ref violations, new FieldPath(Path, i, "after"), after);
            if (seconds == 0) violations.Add(new FieldPath(Path, i, "after"), "must be 1 second to 3 years");
            stalls[i] = new Core.StallTime((Core.OrderState)state, seconds);
        }
        return stalls;
    }

    private static Duration? Seconds(ulong seconds) => seconds == 0 ? null : new Duration { Seconds = (long)seconds };
}
