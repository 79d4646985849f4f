// Events out of one engine and into another. Keys never leave their engine: personal data travels decrypted if asked for, and the engine
// where it arrives seals it anew; what arrives sealed is under a key that it does not have, and is left out.

using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.Journal;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>One export or import.</summary>
internal sealed class EventTransfer(EngineCalls calls)
{
    /// <summary>Streams the journal's events from a sequence to what is durable now.</summary>
    public async Task ExportAsync(ExportEventsRequest request, IServerStreamWriter<ExportedEvents> responses, ServerCallContext context)
    {
        var journal = calls.Engine.Journal ?? throw Errors.Exception(ErrorReason.EngineRecovering);
        if (request.FromSequence < journal.FirstSequence) throw Truncated(journal);
        try
        {
            await SendAsync(request, journal, responses, context);
        }
        catch (ArgumentOutOfRangeException) when (request.FromSequence < journal.FirstSequence)
        {
            // Truncation has overtaken the export: what was sent is right, the rest of it is gone.
            throw Truncated(journal);
        }
    }

    private async Task SendAsync(ExportEventsRequest request, IJournal journal, IServerStreamWriter<ExportedEvents> responses, ServerCallContext context)
    {
        var until = calls.Engine.View.DurableSequence;
        var page = new ExportedEvents();
        var bytes = 0;
        foreach (var batch in journal.Read(request.FromSequence, context.CancellationToken))
        {
            for (var next = 0; Decode(batch.Payload.Span, ref next) is { } e;)
            {
                if (e.Sequence < (ulong)request.FromSequence) continue;
                if (e.Sequence > (ulong)until) break;
                if (request.IncludePersonalData) Unseal(e);
                page.Events.Add(e);
                bytes += e.CalculateSize();
                if (page.Events.Count < ServerLimits.EventsPerMessage && bytes < ServerLimits.StreamMessageBytes) continue;
                await responses.WriteAsync(page, context.CancellationToken);
                page = new ExportedEvents();
                bytes = 0;
            }
            if (batch.LastSequence >= until) break;
        }
        if (page.Events.Count > 0) await responses.WriteAsync(page, context.CancellationToken);
    }

    private static RefusalException Truncated(IJournal journal) =>
        Errors.Exception(ErrorReason.ResumeTokenTruncated, ("earliest_token", Texts.Etag(journal.FirstSequence)));

    /// <summary>Loads an export into this engine, which must hold nothing.</summary>
    public async Task<ImportEventsResponse> ImportAsync(IAsyncStreamReader<ImportEventsRequest> requests, ServerCallContext context)
    {
        if (calls.Engine.View.DurableSequence != 0) throw Errors.Exception(ErrorReason.EngineNotEmpty);
        var events = new List<byte[]>();
        var bytes = 0L;
        while (await requests.MoveNext(context.CancellationToken))
        {
            foreach (var e in requests.Current.Events)
            {
                // The engine seals what came decrypted under one new key for each old one; without a number it would be left as it is.
                if (SealedOf(e).Any(data => data is { Key: 0, Plaintext.IsEmpty: false }))
                    throw Errors.InvalidField(new FieldPath("events", events.Count), "personal data must name its key's number").ToException();
                events.Add(e.ToByteArray());
                bytes += events[^1].Length;
            }
            if (bytes > ServerLimits.ImportBytes) throw Errors.Exception(ErrorReason.MessageTooLarge);
        }
        var result = await calls.Engine.ImportAsync(events, context.CancellationToken);
        switch (result.Status)
        {
            case ImportStatus.Imported:
                await calls.WaitForAsync(result.LastSequence, context);
                var summary = calls.Engine.View.Summary;
                return new ImportEventsResponse
                {
                    Events = events.Count, Sequence = result.LastSequence,
                    StateHash = summary.StateHash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture),
                };
            case ImportStatus.NotEmpty: throw Errors.Exception(ErrorReason.EngineNotEmpty);
            case ImportStatus.DiskLow: throw Errors.Exception(ErrorReason.DiskLow);
            case ImportStatus.NotServing: throw Errors.Exception(ErrorReason.EngineDraining);
            default: throw Errors.InvalidField(new FieldPath("events", result.EventIndex), result.Problem).ToException();
        }
    }

    private static Event? Decode(ReadOnlySpan<byte> payload, ref int next)
    {
        var events = new EventEnumerator(payload[next..]);
        if (!events.MoveNext()) return null;
        next += events.Offset + events.Current.Length;
        return Event.Parser.ParseFrom(events.Current);
    }

    private static Sealed?[] SealedOf(Event e) => e.BodyCase switch
    {
        Event.BodyOneofCase.CustomerDefined => [e.CustomerDefined.Details],
        Event.BodyOneofCase.OrderSubmitted => [e.OrderSubmitted.Delivery, e.OrderSubmitted.SpecialRequests],
        Event.BodyOneofCase.OrderAmended => [e.OrderAmended.Delivery],
        Event.BodyOneofCase.NoteAdded => [e.NoteAdded.Text],
        Event.BodyOneofCase.ComplaintOpened => [e.ComplaintOpened.Text],
        Event.BodyOneofCase.ComplaintResolved => [e.ComplaintResolved.Text],
        Event.BodyOneofCase.FeedbackRecorded => [e.FeedbackRecorded.Text],
        _ => [],
    };

    private void Unseal(Event e)
    {
        foreach (var data in SealedOf(e))
        {
            if (data is null || !calls.Vault.TryUnseal((long)data.Key, data.Ciphertext.Span, out var plaintext)) continue;
            data.Plaintext = UnsafeByteOperations.UnsafeWrap(plaintext);
            data.Ciphertext = ByteString.Empty;
        }
    }
}
