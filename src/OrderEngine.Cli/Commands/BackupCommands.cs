// Owns backup (of a running engine) and restore (offline). One thread.
using System.CommandLine;
using System.Text.Json.Nodes;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Journal.Offline;

namespace OrderEngine.Cli.Commands;

internal static class BackupCommands
{
    public static Command Backup(Runner run)
    {
        var command = new Command("backup", "Back a running engine up to a directory, and check what was written. Keys of personal data are not in it. Interrupted, it is no backup: remove it.");
        var directory = new Argument<string>("DIR") { Description = "Where to; not there yet, or empty." };
        var keys = new Option<string?>("--with-keys") { Description = "Also write the keys of personal data, to a file elsewhere. Who has both can read it all.", HelpName = "FILE" };
        command.Add(directory);
        command.Add(keys);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var target = Path.GetFullPath(session.Get(directory));
            if (session.Get(keys) is { } file)
            {
                if (Path.GetFullPath(file).StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                    throw new UsageException($"--with-keys: '{file}' lies in the backup. Keep the keys apart: on another medium, for a shorter time.");
                if (File.Exists(file)) throw new UsageException($"--with-keys: '{file}' is there already. Name a new file.");
            }
            var manifest = await ReceiveAsync(session, target, cancellationToken);
            // After the backup: every key that it needs is there by now.
            if (session.Get(keys) is { } path) await ReceiveKeysAsync(session, path, cancellationToken);
            if (session.Json)
                session.Say(Session.ToJson(ToJson(manifest)));
            else
                session.Say($"Backed up to '{target}': sequences {Session.Number(manifest.FirstSequence)} to {Session.Number(manifest.LastSequence)}, state hash {manifest.StateHash}, " +
                    $"{Session.Number(manifest.Files.Sum(part => part.Bytes))} bytes, read back and verified.{(session.Get(keys) is null ? " The keys of personal data are not in it." : "")}");
            return ExitCodes.Ok;
        });
    }

    public static Command Restore(Runner run)
    {
        var command = new Command("restore", "Make a data directory from a backup, as it was at its end or at an earlier commit. It becomes an engine of its own: positions in the old one's streams are refused.");
        var directory = new Argument<string>("DIR") { Description = "The backup." };
        var data = new Option<string>("--data") { Description = "The data directory to make; not there yet, or empty.", HelpName = "NEW", Required = true };
        var sequence = new Option<long?>("--to-sequence") { Description = "The last sequence to restore; the last commit at or before it is.", HelpName = "N" };
        var keys = new Option<string?>("--keys") { Description = "The file of keys, of backup --with-keys.", HelpName = "FILE" };
        var without = new Option<bool>("--without-keys") { Description = "There are none: personal data cannot be read any more, and repeated requests of before are refused (REQUEST_ID_REUSED) rather than answered again." };
        command.Add(directory);
        foreach (var option in new Option[] { data, sequence, keys, without }) command.Add(option);
        return run.Does(command, (session, _) =>
        {
            if (session.Get(keys) is null != session.Get(without)) throw new UsageException("Give either --keys FILE or --without-keys.");
            if (session.Get(sequence) is < 1) throw new UsageException("--to-sequence: sequences begin at 1.");
            if (session.Get(keys) is { } missing && !File.Exists(missing)) throw new UsageException($"--keys: there is no file '{missing}'.");
            var backup = BackupReader.Open(session.Get(directory));
            var restored = backup.Restore(session.Get(data)!, session.Get(sequence) ?? backup.Manifest.LastSequence, session.Get(keys));
            var hash = restored.Sequence == backup.Manifest.LastSequence ? backup.Manifest.StateHash : null;
            if (session.Json)
            {
                session.Say(Session.ToJson(new JsonObject
                {
                    ["sequence"] = restored.Sequence, ["firstSequence"] = restored.FirstSequence, ["snapshot"] = restored.Snapshot, ["keysMissing"] = restored.KeysMissing, ["stateHash"] = hash,
                }));
                return Task.FromResult(ExitCodes.Ok);
            }
            session.Say($"Restored sequence {Session.Number(restored.Sequence)} to '{Path.GetFullPath(session.Get(data)!)}'. Start the engine on it" +
                (hash is null ? ", and look at orderctl verify." : $"; orderctl status must show the state hash {hash}."));
            if (restored.KeysMissing > 0)
                session.Note($"orderctl: {Session.Number(restored.KeysMissing)} keys are not in what was given: what was sealed under them cannot be read any more.");
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    private static async Task<BackupManifest> ReceiveAsync(Session session, string target, CancellationToken cancellationToken)
    {
        var taken = DateTime.UtcNow;
        using var call = session.Client.Admin.CreateBackup(new CreateBackupRequest(), cancellationToken: cancellationToken);
        BackupWriter? writer = null;
        try
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
                var part = call.ResponseStream.Current;
                switch (part.PartCase)
                {
                    case BackupPart.PartOneofCase.Beginning when writer is null && part.Beginning.CreationId.Length == 16:
                        writer = new BackupWriter(target, new Guid(part.Beginning.CreationId.Span), part.Beginning.FirstSequence);
                        break;
                    case BackupPart.PartOneofCase.Snapshot when writer is not null:
                        writer.AddSnapshot(part.Snapshot.Sequence, part.Snapshot.Data.Span);
                        break;
                    case BackupPart.PartOneofCase.Archive when writer is not null:
                        writer.AddArchive(part.Archive.Segment, part.Archive.Data.Span);
                        break;
                    case BackupPart.PartOneofCase.Batch when writer is not null:
                        writer.Add(new JournalBatch(part.Batch.Epoch, part.Batch.FirstSequence, part.Batch.LastSequence, part.Batch.Events.Memory));
                        break;
                    case BackupPart.PartOneofCase.End when writer is not null:
                        return writer.Complete(part.End.LastSequence, part.End.StateHash, part.End.HighestKey, taken);
                    default:
                        throw new InvalidDataException($"The engine sent a part of a backup that this orderctl does not know ({part.PartCase}). Use the orderctl of its version.");
                }
            }
            throw new InvalidDataException($"The engine ended the backup before its end: '{target}' is none. Remove it and begin again.");
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private static async Task ReceiveKeysAsync(Session session, string path, CancellationToken cancellationToken)
    {
        using var call = session.Client.Admin.ExportKeys(new ExportKeysRequest(), cancellationToken: cancellationToken);
        var bytes = new MemoryStream();
        while (await call.ResponseStream.MoveNext(cancellationToken))
            bytes.Write(call.ResponseStream.Current.Data.Span);
        KeyRestore.Check(bytes.ToArray(), path);
        OfflineFiles.WriteWhole(path, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    private static JsonObject ToJson(BackupManifest manifest) => new()
    {
        ["firstSequence"] = manifest.FirstSequence,
        ["sequence"] = manifest.LastSequence,
        ["stateHash"] = manifest.StateHash,
        ["bytes"] = manifest.Files.Sum(file => file.Bytes),
    };
}
