// Owns keys create, list, rotate and revoke: they change the server's file of API keys, which a running server takes up within a second.
// One thread.
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OrderEngine.Access;

namespace OrderEngine.Cli.Commands;

internal static class KeyCommands
{
    private static readonly TimeSpan UsualOverlap = TimeSpan.FromDays(1);

    public static Command Keys(Runner run)
    {
        var keys = new Command("keys", "Make and revoke the API keys of a server, in its file on this machine. A running server takes changes up within a second.");
        keys.Add(Create(run));
        keys.Add(List(run));
        keys.Add(Rotate(run));
        keys.Add(Revoke(run));
        return keys;
    }

    private static Option<string> File() => new("--file")
    {
        Description = "The file of keys.", HelpName = "FILE", DefaultValueFactory = _ => Path.Combine("data", ApiKeyFile.DefaultName),
    };

    private static Command Create(Runner run)
    {
        var command = new Command("create", "Make a key. Its secret is shown once, on standard output, and kept nowhere.");
        var name = new Argument<string>("NAME") { Description = "Who will hold it: the actor of every change made with it. Not personal data." };
        var channel = new Option<string?>("--channel") { Description = "The one channel that it acts for.", HelpName = "ID" };
        var all = new Option<bool>("--all-channels") { Description = "It acts for all channels, as warehouses, finance and operations do." };
        var scopes = Values.Many("--scopes", "What it may, by commas or repeated: " + string.Join(", ", ScopeNames.All) + ".", "LIST", ReadScopes);
        scopes.Required = true;
        var expires = Values.Duration("--expires-in", "Refused after this time; left out: never.");
        var file = File();
        foreach (var symbol in (Option[])[channel, all, scopes, expires, file]) command.Add(symbol);
        command.Add(name);
        return run.Does(command, (session, _) =>
        {
            var wanted = session.Get(scopes)!.Aggregate(Scopes.None, (sum, one) => sum | one);
            var (holder, bound) = (session.Get(name), session.Get(channel));
            if (ApiKey.Problem(holder) is { } problem) throw new UsageException($"NAME {problem}.");
            if (bound is not null && ApiKey.Problem(bound) is { } wrong) throw new UsageException($"--channel {wrong}.");
            if (bound is null != session.Get(all)) throw new UsageException("Give either --channel ID or --all-channels.");
            if (bound is not null && (wanted & ScopeNames.Shared) != 0)
                throw new UsageException("The scopes stock and admin concern all channels: use --all-channels, or leave them out.");
            var now = TimeProvider.System.GetUtcNow();
            var (key, text) = ApiKey.Create(holder, bound, wanted, now, now + session.Get(expires));
            return Task.FromResult(Store(session, () => ApiKeyFile.Change(session.Get(file)!, keys => [.. keys, key]), () => Show(session, key, text)));
        });
    }

    private static Command List(Runner run)
    {
        var command = new Command("list", "Show the keys, never their secrets.");
        var file = File();
        command.Add(file);
        return run.Does(command, (session, _) =>
        {
            IReadOnlyList<ApiKey> keys = [];
            return Task.FromResult(Store(session, () => keys = ApiKeyFile.Read(session.Get(file)!), () =>
            {
                if (session.Json)
                    foreach (var key in keys) session.Say(Session.ToJson(ToJson(key)));
                else
                    session.Table(["ID", "NAME", "CHANNEL", "SCOPES", "CREATED", "STATE"], keys.Select(key => (IReadOnlyList<string>)
                        [key.Id, key.Name, key.Channel ?? "all", string.Join(' ', ScopeNames.Split(key.Scopes)), Time(key.Created), StateOf(key)]));
            }));
        });
    }

    private static Command Rotate(Runner run)
    {
        var command = new Command("rotate", "Make a successor with the same name, channel and scopes. The old key stays good for the overlap, so that its holder can change over.");
        var id = new Argument<string>("ID") { Description = "The key." };
        var overlap = Values.Duration("--overlap", "How long the old key stays good; left out: 1d.");
        var file = File();
        command.Add(overlap);
        command.Add(file);
        command.Add(id);
        return run.Does(command, (session, _) =>
        {
            var (successor, text) = (default(ApiKey), "");
            return Task.FromResult(Store(session, () => ApiKeyFile.Change(session.Get(file)!, keys =>
            {
                var now = TimeProvider.System.GetUtcNow();
                var old = Good(keys, session.Get(id), now);
                (successor, text) = ApiKey.Create(old.Name, old.Channel, old.Scopes, now, null);
                var end = now + (session.Get(overlap) ?? UsualOverlap);
                return [.. keys.Select(key => key == old ? key with { Expires = key.Expires is { } sooner && sooner < end ? sooner : end } : key), successor];
            }), () => Show(session, successor!, text)));
        });
    }

    private static Command Revoke(Runner run)
    {
        var command = new Command("revoke", "Refuse a key from now on, and end the streams that are open with it.");
        var id = new Argument<string>("ID") { Description = "The key." };
        var file = File();
        command.Add(file);
        command.Add(id);
        return run.Does(command, (session, _) => Task.FromResult(Store(session, () => ApiKeyFile.Change(session.Get(file)!, keys =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var old = Good(keys, session.Get(id), now);
            return [.. keys.Select(key => key == old ? key with { Revoked = now } : key)];
        }), () => session.Note($"Revoked {session.Get(id)}."))));
    }

    private static ApiKey Good(IReadOnlyList<ApiKey> keys, string id, DateTimeOffset now)
    {
        var found = keys.FirstOrDefault(key => key.Id == id) ?? throw new UsageException($"There is no key {id} in this file: see orderctl keys list.");
        return found.IsValidAt(now) ? found : throw new UsageException($"Key {id} is {StateOf(found)}.");
    }

    private static Scopes ReadScopes(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Aggregate(Scopes.None, (sum, name) =>
        ScopeNames.TryParse(name, out var scope) ? sum | scope : throw new UsageException($"'{name}' is no scope. Choose of: {string.Join(", ", ScopeNames.All)}."));

    private static int Store(Session session, Action change, Action say)
    {
        try
        {
            change();
        }
        catch (ApiKeyFileException failed)
        {
            session.Note($"orderctl: {failed.Message}");
            return ExitCodes.Failed;
        }
        say();
        return ExitCodes.Ok;
    }

    private static void Show(Session session, ApiKey key, string text)
    {
        if (session.Json)
        {
            var json = ToJson(key);
            json["key"] = text;
            session.Say(Session.ToJson(json));
            return;
        }
        session.Say(text);
        session.Note($"Key {key.Id} of {key.Name}, {(key.Channel is null ? "for all channels" : $"for channel {key.Channel}")}, scopes {string.Join(' ', ScopeNames.Split(key.Scopes))}.");
        session.Note("This is the only time it is shown. Send it as the header 'authorization: Bearer KEY'; orderctl takes it from --credential FILE or ORDERENGINE_CREDENTIAL.");
    }

    private static JsonObject ToJson(ApiKey key) => new()
    {
        ["id"] = key.Id, ["name"] = key.Name, ["channel"] = key.Channel, ["scopes"] = new JsonArray([.. ScopeNames.Split(key.Scopes).Select(name => (JsonNode)name)]),
        ["created"] = Time(key.Created), ["expires"] = key.Expires is { } end ? Time(end) : null, ["revoked"] = key.Revoked is { } then ? Time(then) : null,
        ["state"] = StateOf(key),
    };

    private static string StateOf(ApiKey key) => key.Revoked is { } revoked ? $"revoked {Time(revoked)}"
        : key.Expires is not { } end ? "good"
        : key.IsValidAt(TimeProvider.System.GetUtcNow()) ? $"good until {Time(end)}" : $"expired {Time(end)}";

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
