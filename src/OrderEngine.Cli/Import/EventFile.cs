// Owns the file of an export of events: a header line, an event a line (protobuf JSON of orderengine.journal.Event), and a trailer line
// with the number of events and the SHA-256 of all bytes before it, so that a torn or changed file is noticed. One thread.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Contracts.Journal;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal static class EventFile
{
    private const string Format = "orderengine-events";
    private const int FormatVersion = 1;
    private const int EventsPerMessage = 1_000;
    private const int BytesPerMessage = 1 << 20;
    private static readonly JsonFormatter Compact = new(JsonFormatter.Settings.Default);

    public static async Task<int> ExportAsync(Session session, string path, bool personalData, CancellationToken cancellationToken)
    {
        // The stream is opened before the file: an engine that refuses leaves no file behind.
        using var call = session.Client.Admin.ExportEvents(
            new ExportEventsRequest { FromSequence = 1, IncludePersonalData = personalData }, cancellationToken: cancellationToken);
        var more = await call.ResponseStream.MoveNext(cancellationToken);
        using var file = new ExportFile(session, path, new JsonObject { ["format"] = Format, ["version"] = FormatVersion, ["personalData"] = personalData });
        var (events, last) = (0L, 0L);
        for (; more; more = await call.ResponseStream.MoveNext(cancellationToken))
        {
            foreach (var happened in call.ResponseStream.Current.Events)
            {
                file.Write(Compact.Format(happened));
                (events, last) = (events + 1, (long)happened.Sequence);
            }
        }

        return await file.EndAsync("events", events, last, "up to");
    }

    public static async Task<int> ImportAsync(Session session, string path, CancellationToken cancellationToken)
    {
        var total = Check(path);
        var progress = new ProgressLine(session.Terminal, "events", total);
        using var call = session.Client.Admin.ImportEvents(cancellationToken: cancellationToken);
        var sent = 0L;
        try
        {
            var message = new ImportEventsRequest();
            var bytes = 0;
            foreach (var happened in Events(path))
            {
                var size = happened.CalculateSize();
                if (message.Events.Count == EventsPerMessage || (message.Events.Count > 0 && bytes + size > BytesPerMessage))
                {
                    await call.RequestStream.WriteAsync(message, cancellationToken);
                    (message, bytes) = (new ImportEventsRequest(), 0);
                }

                message.Events.Add(happened);
                bytes += size;
                progress.Report(++sent);
            }

            if (message.Events.Count > 0)
                await call.RequestStream.WriteAsync(message, cancellationToken);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException or IOException && call.ResponseAsync.IsCompleted)
        {
            // The engine has answered before all was sent: what it says comes with the answer below.
            _ = over;
        }

        ImportEventsResponse answer;
        try
        {
            answer = await call.ResponseAsync;
        }
        finally
        {
            progress.Break();
        }

        if (session.Json)
            session.Say(Session.ToJson(new JsonObject { ["events"] = answer.Events, ["sequence"] = answer.Sequence, ["stateHash"] = answer.StateHash }));
        else
            session.Fields(("events", Session.Number(answer.Events)), ("sequence", Session.Number(answer.Sequence)), ("state hash", answer.StateHash));
        return ExitCodes.Ok;
    }

    // The whole file is read once before any of it is sent.
    private static long Check(string path)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string? last = null;
        var lines = 0L;
        foreach (var line in Lines(path))
        {
            if (last is not null)
            {
                if (lines++ == 0)
                    CheckHeader(path, last);
                sum.AppendData(Encoding.UTF8.GetBytes(last));
                sum.AppendData("\n"u8);
            }

            last = line;
        }

        if (last is null || lines == 0)
        {
            CheckHeader(path, last ?? "");
            throw Torn(path);
        }

        var trailer = Object(last);
        if (trailer?["events"] is null || trailer["sha256"] is null)
            throw Torn(path);
        var events = (long?)trailer["events"];
        if (events != lines - 1 || (string?)trailer["sha256"] != Convert.ToHexStringLower(sum.GetHashAndReset()))
            throw new UsageException($"'{path}' is not as it was exported: its trailer promises {events} events with another checksum than what stands there ({lines - 1} events). Export it again.");
        return events.Value;
    }

    private static void CheckHeader(string path, string line)
    {
        var header = Object(line);
        if ((string?)header?["format"] != Format)
            throw new UsageException($"'{path}' is not an export of events: its first line does not say {{\"format\":\"{Format}\"}}. Write one with: orderctl export FILE");
        if ((int?)header["version"] != FormatVersion)
            throw new UsageException($"'{path}' has version {header["version"]} of the format; this orderctl reads version {FormatVersion}. Take the orderctl that wrote it, or a newer one.");
    }

    private static UsageException Torn(string path) => new($"'{path}' ends before its trailer: the export was cut off. Export it again.");

    private static IEnumerable<Event> Events(string path)
    {
        string? held = null;
        var number = 0L;
        foreach (var line in Lines(path))
        {
            // One line is held back, for the last one is the trailer; the first is the header.
            if (held is not null && number > 1)
                yield return Parse(path, number, held);
            held = line;
            number++;
        }
    }

    private static Event Parse(string path, long number, string line)
    {
        try
        {
            return Event.Parser.ParseJson(line);
        }
        catch (Exception wrong) when (wrong is InvalidProtocolBufferException or InvalidJsonException)
        {
            throw new UsageException($"'{path}', line {number}: not an event: {wrong.Message}");
        }
    }

    private static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(RetailFile.OpenContent(path));
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    private static JsonObject? Object(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            // Not JSON, so neither header nor trailer: the caller says what is missing.
            return null;
        }
    }
}
