// A backup on its way out: what is stored, as it is stored. Consistent at one sequence: the journal up to what was published when the call began, and
// snapshots from before that. Nothing waits for it; only the journal's beginning stays where it is.

using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>One backup, or one copy of the keys.</summary>
internal sealed class BackupTransfer(EngineCalls calls)
{
    /// <summary>Streams snapshots, archive and journal.</summary>
    public async Task SendAsync(IServerStreamWriter<BackupPart> responses, ServerCallContext context)
    {
        using var longest = new CancellationTokenSource(ServerLimits.LongestBackup, calls.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping, longest.Token);
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Abandoning);
        var parts = new Sender(responses, end.Token, abandon.Token);
        var journal = calls.Engine.Journal ?? throw Errors.Exception(ErrorReason.EngineRecovering);
        using var hold = await calls.Engine.HoldJournalAsync();
        var snapshots = new List<(SnapshotFile File, Stream Bytes)>();
        try
        {
            await OpenSnapshotsAsync(snapshots);
            var summary = calls.Engine.View.Summary;
            await parts.WriteAsync(new BackupPart
            {
                Beginning = new BackupBeginning
                {
                    CreationId = ByteString.CopyFrom(journal.CreationId.ToByteArray()), FirstSequence = journal.FirstSequence, LastSequence = summary.Sequence,
                },
            });
            foreach (var (file, bytes) in snapshots.Where(snapshot => snapshot.File.Sequence <= summary.Sequence)) await SendSnapshotAsync(file, bytes, parts);
            // Taken after the summary, so it holds whatever had left memory by then; more is dropped by the start of what is restored.
            foreach (var (segment, length) in calls.Engine.Archive?.Segments() ?? []) await SendSegmentAsync(segment, length, parts);
            foreach (var batch in journal.Read(journal.FirstSequence, end.Token))
            {
                if (batch.FirstSequence > summary.Sequence) break;
                await parts.WriteAsync(new BackupPart
                {
                    Batch = new BackupBatch
                    {
                        Epoch = batch.Epoch, FirstSequence = batch.FirstSequence, LastSequence = batch.LastSequence, Events = UnsafeByteOperations.UnsafeWrap(batch.Payload),
                    },
                });
            }
            await parts.WriteAsync(new BackupPart
            {
                End = new BackupEnd
                {
                    LastSequence = summary.Sequence, StateHash = summary.StateHash.ToString("x16", CultureInfo.InvariantCulture), HighestKey = summary.HighestKey,
                },
            });
        }
        catch (OperationCanceledException) when (calls.Stopping.IsCancellationRequested)
        {
            throw Errors.Exception(ErrorReason.EngineDraining);
        }
        catch (OperationCanceledException) when (longest.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Status(ErrorReason.DeadlinePassed, string.Create(CultureInfo.InvariantCulture,
                $"A backup may take {ServerLimits.LongestBackup.TotalHours} hours. Read it faster, or where the server is.")).ToException();
        }
        catch (Exception error) when (error is SnapshotFileException or JournalException or IOException)
        {
            throw Errors.Status(ErrorReason.CheckpointFailed, error.Message).ToException();
        }
        finally
        {
            foreach (var (_, bytes) in snapshots) await bytes.DisposeAsync();
        }
    }

    // Opened before the first is sent: a newer snapshot may take their place meanwhile, which leaves open files readable.
    private async Task OpenSnapshotsAsync(List<(SnapshotFile File, Stream Bytes)> snapshots)
    {
        const int attempts = 5;
        for (var attempt = 1; calls.Engine.Snapshots is { } store; attempt++)
        {
            try
            {
                foreach (var file in store.List()) snapshots.Add((file, store.Open(file)));
                return;
            }
            catch (SnapshotFileException) when (attempt < attempts)
            {
                // Deleted between the two calls: a newer one is there.
                foreach (var (_, bytes) in snapshots) await bytes.DisposeAsync();
                snapshots.Clear();
            }
        }
    }

    private static async Task SendSnapshotAsync(SnapshotFile file, Stream bytes, Sender parts)
    {
        var part = new byte[ServerLimits.BackupPartBytes];
        while (await bytes.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, parts.End) is var count && count > 0)
        {
            await parts.WriteAsync(new BackupPart { Snapshot = new BackupSnapshotPart { Sequence = file.Sequence, Data = ByteString.CopyFrom(part, 0, count) } });
        }
    }

    private async Task SendSegmentAsync(int segment, long length, Sender parts)
    {
        await using var bytes = calls.Engine.Archive!.OpenSegment(segment);
        var part = new byte[ServerLimits.BackupPartBytes];
        while (length > 0)
        {
            var count = await bytes.ReadAtLeastAsync(part.AsMemory(0, (int)Math.Min(part.Length, length)), (int)Math.Min(part.Length, length), throwOnEndOfStream: true, parts.End);
            length -= count;
            await parts.WriteAsync(new BackupPart { Archive = new BackupArchivePart { Segment = segment, Data = ByteString.CopyFrom(part, 0, count) } });
        }
    }

    /// <summary>Streams the keys.</summary>
    public async Task SendKeysAsync(IServerStreamWriter<KeysPart> parts, ServerCallContext context)
    {
        if (calls.Engine.Journal is null) throw Errors.Exception(ErrorReason.EngineRecovering);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping);
        var part = new byte[ServerLimits.BackupPartBytes];
        for (var offset = 0L; calls.Vault.CopyKeys(offset, part) is var count && count > 0; offset += count)
        {
            await parts.WriteAsync(new KeysPart { Data = ByteString.CopyFrom(part, 0, count) }, end.Token);
        }
        Array.Clear(part);
    }

    /// <summary>Sends parts until the backup has to end. A write that is called off resets the call, which then cannot say why: so it is looked at before each.</summary>
    private sealed record Sender(IServerStreamWriter<BackupPart> Parts, CancellationToken End, CancellationToken Abandon)
    {
        public Task WriteAsync(BackupPart part)
        {
            End.ThrowIfCancellationRequested();
            return Parts.WriteAsync(part, Abandon);
        }
    }
}
