// Events out of one engine and into another. Keys never leave their engine: personal data travels decrypted if asked for, and is sealed
// anew where it arrives; what arrives sealed is under a key that this engine does not have, and is left out.

using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.Journal;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>One export or import.</summary>
internal sealed class EventTransfer(EngineCalls calls)
{
    private readonly Dictionary<uint, string> _customerIds = [];

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

    private static RpcException Truncated(IJournal journal) =>
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
                await SealAsync(e, events.Count);
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

    private static Sealed? SealedOf(Event e) => e.BodyCase switch
    {
        Event.BodyOneofCase.CustomerDefined => e.CustomerDefined.Details,
        Event.BodyOneofCase.OrderSubmitted => e.OrderSubmitted.Delivery,
        _ => null,
    };

    private void Unseal(Event e)
    {
        if (SealedOf(e) is not { } details) return;
        if (!calls.Vault.TryUnseal((long)details.Key, details.Ciphertext.Span, out var plaintext)) return;
        details.Plaintext = UnsafeByteOperations.UnsafeWrap(plaintext);
        details.Key = 0;
        details.Ciphertext = ByteString.Empty;
    }

    private async ValueTask SealAsync(Event e, int index)
    {
        if (e.CustomerDefined is { } defined) _customerIds[defined.Customer] = defined.CustomerId;
        if (SealedOf(e) is not { } details) return;
        if (details.Plaintext.Length > PersonalVault.MaxPlaintext)
            throw Errors.InvalidField(new FieldPath("events", index), $"personal data must be at most {PersonalVault.MaxPlaintext} bytes").ToException();
        var resealed = details.Plaintext.IsEmpty ? null : Message(await SealAsync(e, details.Plaintext));
        if (e.CustomerDefined is not null) e.CustomerDefined.Details = resealed;
        else e.OrderSubmitted.Delivery = resealed;
    }

    private ValueTask<SealedData> SealAsync(Event e, ByteString plaintext)
    {
        var customer = e.CustomerDefined?.Customer ?? e.Customer;
        return _customerIds.TryGetValue(customer, out var id) && id.Length > 0
            ? calls.Vault.SealForCustomerAsync(id, 0, plaintext.Memory)
            : calls.Vault.SealForGuestAsync(plaintext.Memory);
    }

    private static Sealed Message(SealedData data) => new() { Key = (ulong)data.Key, Ciphertext = UnsafeByteOperations.UnsafeWrap(data.Ciphertext) };
}
