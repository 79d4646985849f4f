// Owns journal dump, verify and repair: offline, the engine must be stopped. One thread.
using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core;
using OrderEngine.Journal;
using OrderEngine.Journal.Offline;

namespace OrderEngine.Cli.Commands;

internal static class JournalCommands
{
    private static readonly JsonFormatter Compact = new(JsonFormatter.Settings.Default);

    private static readonly ArchiveReliance s_reliance = new(
        events => (long)Events.Parser.ParseFrom(events.Span).Events_.Select(happened => happened.OrderArchived?.Position ?? 0).DefaultIfEmpty().Max(),
        block => (long)(SnapshotBlock.Parser.ParseFrom(block).Trailer?.ArchivePosition ?? 0));

    public static Command Journal(Runner run)
    {
        var journal = new Command("journal", "Read or repair a data directory itself, while no engine has it open.");
        journal.Add(Verify(run));
        journal.Add(Dump(run));
        journal.Add(Repair(run));
        return journal;
    }

    private static Argument<string> Directory() => new("DIR") { Description = "The engine's data directory." };

    private static Command Verify(Runner run)
    {
        var (command, directory) = (new Command("verify", "Check every byte of a data directory (journal, snapshots, archive, keys) or of a backup. Exits 0 only when all is intact; a torn end that was never acknowledged is. Exits 3 while an engine has the directory open."), Directory());
        command.Add(directory);
        return run.Does(command, (session, _) => UnlessInUse(session, () =>
        {
            if (BackupReader.IsBackup(Existing(session.Get(directory)))) return Task.FromResult(VerifyBackup(session, session.Get(directory)));
            var report = DirectoryVerifier.Verify(session.Get(directory), s_reliance);
            if (session.Json)
                session.Say(Session.ToJson(ToJson(report)));
            else
                Show(session, report);
            return Task.FromResult(report.IsIntact ? ExitCodes.Ok : ExitCodes.Failed);
        }));
    }

    private static int VerifyBackup(Session session, string directory)
    {
        var backup = BackupReader.Open(directory);
        backup.Verify();
        var what = backup.Manifest;
        if (session.Json)
            session.Say(Session.ToJson(new JsonObject { ["intact"] = true, ["firstSequence"] = what.FirstSequence, ["lastSequence"] = what.LastSequence, ["stateHash"] = what.StateHash }));
        else
            session.Say($"The backup is intact: sequences {Session.Number(what.FirstSequence)} to {Session.Number(what.LastSequence)}, state hash {what.StateHash}, taken {what.Taken:u}.");
        return ExitCodes.Ok;
    }

    private static Command Repair(Runner run)
    {
        var (command, directory) = (new Command("repair", "Say what is damaged and what can be kept; with --yes, do it. Former files are moved to DIR/repaired.N. What was acknowledged is given up only with --accept-loss, after being named."), Directory());
        var yes = new Option<bool>("--yes") { Description = "Do it. Without: only say what would be done, and exit 1 if there is anything to do." };
        var accept = new Option<bool>("--accept-loss") { Description = "Also if acknowledged orders are lost." };
        command.Add(directory);
        command.Add(yes);
        command.Add(accept);
        return run.Does(command, (session, _) => UnlessInUse(session, () =>
        {
            using var repair = new JournalRepair(Existing(session.Get(directory)));
            var lost = new LostOrders();
            var plan = repair.Plan(lost.Add);
            if (plan.Sound)
            {
                session.Say("There is nothing to repair.");
                return Task.FromResult(ExitCodes.Ok);
            }
            foreach (var damage in plan.Damage)
                session.Say($"damaged: {damage}");
            if (plan.Refusal is not null)
            {
                session.Note($"orderctl: cannot be repaired. {plan.Refusal}");
                return Task.FromResult(ExitCodes.Failed);
            }
            session.Say($"Can be kept: sequences {Session.Number(plan.KeepFrom)} to {Session.Number(plan.KeepTo)}{(plan.Snapshot == 0 ? "" : $", and the snapshot of {Session.Number(plan.Snapshot)}")}.");
            session.Say(plan.Loses ? $"WOULD BE LOST: {lost.Describe(plan)}" : "Nothing acknowledged is lost.");
            if (!session.Get(yes) || plan.Loses && !session.Get(accept))
            {
                session.Note($"orderctl: nothing was changed. To do it, give --yes{(plan.Loses ? " --accept-loss; a backup may hold more" : "")}.");
                return Task.FromResult(ExitCodes.Failed);
            }
            var aside = repair.Carry(plan);
            session.Say($"Repaired. The former files are in '{aside}'.{(plan.Loses ? " Positions in the old engine's streams are refused from now on." : "")}");
            return Task.FromResult(ExitCodes.Ok);
        }));
    }

    /// <summary>What the events say that would be lost.</summary>
    private sealed class LostOrders
    {
        private const int MostNamed = 100;
        private readonly SortedSet<ulong> _orders = [];
        private long _events, _first, _last;

        public void Add(JournalBatch batch)
        {
            _first = _events == 0 ? batch.FirstSequence : _first;
            _last = batch.LastSequence;
            foreach (var happened in Events.Parser.ParseFrom(batch.Payload.Span).Events_)
            {
                _events++;
                if (happened.Order != 0) _orders.Add(happened.Order);
            }
        }

        public string Describe(RepairPlan plan)
        {
            var until = Math.Max(plan.Acknowledged, _last);
            var range = until > plan.KeepTo ? $"sequences {Session.Number(plan.KeepTo + 1)} to {Session.Number(until)}" : "";
            var unknown = plan.Acknowledged < 0 ? "whether anything more was acknowledged cannot be told, since the commit record is lost" : "";
            var orders = _events == 0 ? "" : $"of them {Session.Number(_events)} events can still be read, of orders " +
                string.Join(", ", _orders.Take(MostNamed).Select(order => PublicId.Format(PublicId.Order, (long)order))) + (_orders.Count > MostNamed ? $" and {_orders.Count - MostNamed} more" : "");
            var gap = until > plan.KeepTo && (_events == 0 || _first > plan.KeepTo + 1)
                ? $"what was in {Session.Number(plan.KeepTo + 1)} to {Session.Number(_events == 0 ? until : _first - 1)} cannot be read" : "";
            return string.Join("; ", new[] { range, gap, orders, unknown }.Where(part => part.Length > 0)) + ".";
        }
    }

    private static Command Dump(Runner run)
    {
        var (command, directory) = (new Command("dump", "Write every event of a journal as protobuf JSON (orderengine.journal.Event), one a line."), Directory());
        command.Add(directory);
        return run.Does(command, (session, cancellationToken) => UnlessInUse(session, () =>
        {
            var report = JournalVerifier.Read(Existing(session.Get(directory)), batch =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var happened in Events.Parser.ParseFrom(batch.Payload.Span).Events_)
                    session.Say(Compact.Format(happened));
            });
            if (report.IsIntact)
                return Task.FromResult(ExitCodes.Ok);
            session.Note($"orderctl: what was written ends at sequence {report.LastSequence}: {report.Damage}");
            return Task.FromResult(ExitCodes.Failed);
        }));
    }

    // A directory in use is not a damaged one: the lock is all that the journal wraps an IOException for here; damage is reported.
    private static Task<int> UnlessInUse(Session session, Func<Task<int>> body)
    {
        try
        {
            return body();
        }
        catch (JournalException held) when (held.InnerException is IOException)
        {
            session.Note($"orderctl: {held.Message}");
            return Task.FromResult(ExitCodes.Unavailable);
        }
    }

    private static string Existing(string directory) => System.IO.Directory.Exists(directory)
        ? directory
        : throw new UsageException($"There is no directory '{directory}'. Give the engine's data directory (OrderEngine:DataDirectory).");

    private static JsonObject ToJson(DirectoryReport all)
    {
        var json = ToJson(all.Journal);
        json["intact"] = all.IsIntact;
        json["damage"] = all.IsIntact ? null : string.Join(" ", all.Damage);
        json["snapshots"] = new JsonArray([.. all.Snapshots.Select(snapshot => (JsonNode)new JsonObject
        {
            ["sequence"] = snapshot.File.Sequence, ["bytes"] = snapshot.File.Bytes, ["damage"] = snapshot.Damage,
        })]);
        json["archive"] = new JsonObject { ["records"] = all.Archive.Records, ["bytes"] = all.Archive.Bytes };
        json["keys"] = all.Keys;
        json["startsFrom"] = all.StartsFrom;
        return json;
    }

    private static JsonObject ToJson(JournalReport report) => new()
    {
        ["intact"] = report.IsIntact,
        ["damage"] = report.Damage,
        ["frames"] = report.Frames,
        ["events"] = report.Events,
        ["firstSequence"] = report.FirstSequence,
        ["lastSequence"] = report.LastSequence,
        ["acknowledgedSequence"] = report.AcknowledgedSequence,
        ["bytes"] = report.Bytes,
        ["tornBytes"] = report.TornBytes,
        ["commitCopiesLost"] = report.CommitCopiesLost,
    };

    private static void Show(Session session, DirectoryReport all)
    {
        var report = all.Journal;
        session.Say(all.IsIntact ? "The data directory is intact." : report.IsIntact ? "The journal is intact, but not all beside it." : "The journal is DAMAGED.");
        session.Fields(("directory", report.Directory), ("damage", string.Join(" ", all.Damage)), ("frames", Session.Number(report.Frames)), ("events", Session.Number(report.Events)),
            ("sequences", $"{Session.Number(report.FirstSequence)} to {Session.Number(report.LastSequence)}"),
            ("acknowledged", report.AcknowledgedSequence < 0 ? "unknown: the commit record is lost" : Session.Number(report.AcknowledgedSequence)),
            ("bytes", Session.Number(report.Bytes)),
            ("torn end", report.TornBytes == 0 || !report.IsIntact ? "" : $"{Session.Number(report.TornBytes)} bytes, never acknowledged; the next start overwrites them"),
            ("commit copies", report.CommitCopiesLost == 0 ? "" : $"{report.CommitCopiesLost} of 4 unreadable; the next start renews them"),
            ("snapshots", string.Join(", ", all.Snapshots.Select(snapshot => Session.Number(snapshot.File.Sequence) + (snapshot.Damage is null ? "" : " DAMAGED")))),
            ("archive", all.Archive.Records == 0 ? "" : $"{Session.Number(all.Archive.Records)} records, {Session.Number(all.Archive.Bytes)} bytes"),
            ("keys", Session.Number(all.Keys)),
            ("a start", all.StartsFrom < 0 ? "would be refused; see orderctl journal repair" : all.StartsFrom == 0 ? "reads the whole journal" : $"loads the snapshot of {Session.Number(all.StartsFrom)}"));
    }
}
