// Owns journal dump and verify: offline, the engine must be stopped. One thread.
using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Journal;

namespace OrderEngine.Cli.Commands;

internal static class JournalCommands
{
    private static readonly JsonFormatter Compact = new(JsonFormatter.Settings.Default);

    public static Command Journal(Runner run)
    {
        var journal = new Command("journal", "Read a data directory itself, while no engine has it open.");
        journal.Add(Verify(run));
        journal.Add(Dump(run));
        return journal;
    }

    private static Argument<string> Directory() => new("DIR") { Description = "The engine's data directory." };

    private static Command Verify(Runner run)
    {
        var (command, directory) = (new Command("verify", "Check every byte of a journal. Exits 0 only when it is intact; a torn end that was never acknowledged is. Exits 3 while an engine has the directory open."), Directory());
        command.Add(directory);
        return run.Does(command, (session, _) => UnlessInUse(session, () =>
        {
            var report = JournalVerifier.Verify(Existing(session.Get(directory)));
            if (session.Json)
                session.Say(Session.ToJson(ToJson(report)));
            else
                Show(session, report);
            return Task.FromResult(report.IsIntact ? ExitCodes.Ok : ExitCodes.Failed);
        }));
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

    private static void Show(Session session, JournalReport report)
    {
        session.Say(report.IsIntact ? "The journal is intact." : "The journal is DAMAGED.");
        session.Fields(("directory", report.Directory), ("damage", report.Damage ?? ""), ("frames", Session.Number(report.Frames)), ("events", Session.Number(report.Events)),
            ("sequences", $"{Session.Number(report.FirstSequence)} to {Session.Number(report.LastSequence)}"),
            ("acknowledged", report.AcknowledgedSequence < 0 ? "unknown: the commit record is lost" : Session.Number(report.AcknowledgedSequence)),
            ("bytes", Session.Number(report.Bytes)),
            ("torn end", report.TornBytes == 0 || !report.IsIntact ? "" : $"{Session.Number(report.TornBytes)} bytes, never acknowledged; the next start overwrites them"),
            ("commit copies", report.CommitCopiesLost == 0 ? "" : $"{report.CommitCopiesLost} of 4 unreadable; the next start renews them"));
    }
}
