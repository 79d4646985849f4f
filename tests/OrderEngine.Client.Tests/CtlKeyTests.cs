// orderctl keys: what a key is shown as, once and later; a successor beside its predecessor; the end of one.

using OrderEngine.Access;

namespace OrderEngine.Client.Tests;

public sealed class CtlKeyTests
{
    [Fact]
    public async Task A_key_is_made_listed_without_its_secret_rotated_with_an_overlap_and_revoked()
    {
        using var scratch = new Scratch();
        var file = scratch["api-keys.json"];
        var text = (await KeysAsync(file, "create", "web-shop", "--channel", "WEB", "--scopes", "submit,track")).Trim();
        var id = text[..text.IndexOf('.', StringComparison.Ordinal)];
        await KeysAsync(file, "create", "hall-1", "--all-channels", "--scopes", "fulfil", "--expires-in", "2h");

        var listed = (await Ctl.RunAsync(null, "keys", "list", "--file", file, "--json")).Json;
        Assert.Equal(["web-shop", "hall-1"], listed.Select(key => (string?)key["name"]));
        Assert.Equal((id, "WEB", "good"), ((string?)listed[0]["id"], (string?)listed[0]["channel"], (string?)listed[0]["state"]));
        Assert.Equal(["submit", "track"], listed[0]["scopes"]!.AsArray().Select(scope => (string?)scope));
        Assert.Null(listed[1]["channel"]);
        Assert.StartsWith("good until", (string?)listed[1]["state"], StringComparison.Ordinal);
        var table = (await Ctl.RunAsync(null, "keys", "list", "--file", file)).Out;
        var secret = text[(id.Length + 1)..];
        Assert.DoesNotContain(secret, table + string.Concat(listed) + await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Contains("web-shop", table, StringComparison.Ordinal);

        // The successor has the same holder, channel and scopes; both are good until the overlap is over.
        var before = TimeProvider.System.GetUtcNow();
        var next = (await KeysAsync(file, "rotate", id, "--overlap", "2d")).Trim();
        Assert.NotEqual(text, next);
        var keys = ApiKeyFile.Read(file);
        var (old, successor) = (keys.Single(key => key.Id == id), keys.Single(key => next.StartsWith(key.Id, StringComparison.Ordinal)));
        Assert.Equal(("web-shop", "WEB", Scopes.Submit | Scopes.Track, null), (successor.Name, successor.Channel, successor.Scopes, successor.Expires));
        Assert.True(Holds(old, text) && Holds(successor, next) && !Holds(successor, text));
        Assert.InRange(old.Expires!.Value, before.AddDays(2).AddSeconds(-1), before.AddDays(2).AddMinutes(5));
        Assert.True(old.IsValidAt(before.AddDays(1.9)) && !old.IsValidAt(before.AddDays(2.1)) && successor.IsValidAt(before.AddYears(1)));
        // An end that comes sooner stays; without --overlap it is a day.
        var hall = keys.Single(key => key.Name == "hall-1");
        await KeysAsync(file, "rotate", hall.Id);
        Assert.Equal(hall.Expires, ApiKeyFile.Read(file).Single(key => key.Id == hall.Id).Expires);

        await Ctl.RunAsync(null, "keys", "revoke", id, "--file", file);
        listed = (await Ctl.RunAsync(null, "keys", "list", "--file", file, "--json")).Json;
        Assert.StartsWith("revoked", (string?)listed.Single(key => (string?)key["id"] == id)["state"], StringComparison.Ordinal);
        foreach (var what in new[] { "revoke", "rotate" })
        {
            var again = await Ctl.RunAsync(null, "keys", what, id, "--file", file);
            Assert.NotEqual(0, again.Code);
            Assert.Contains("revoked", again.Error, StringComparison.Ordinal);
            Assert.Contains("no key", (await Ctl.RunAsync(null, "keys", what, "knobody00000", "--file", file)).Error, StringComparison.Ordinal);
        }
        Assert.Equal(4, ApiKeyFile.Read(file).Count);
    }

    [Theory]
    [InlineData("--scopes", "submit")]
    [InlineData("--scopes", "submit", "--channel", "WEB", "--all-channels")]
    [InlineData("--scopes", "stock", "--channel", "WEB")]
    [InlineData("--scopes", "everything", "--all-channels")]
    public async Task A_key_that_makes_no_sense_is_not_made(params string[] options)
    {
        using var scratch = new Scratch();
        var run = await Ctl.RunAsync(null, ["keys", "create", "somebody", .. options, "--file", scratch["api-keys.json"]]);
        Assert.NotEqual(0, run.Code);
        Assert.NotEqual("", run.Error);
        Assert.False(File.Exists(scratch["api-keys.json"]));
    }

    private static bool Holds(ApiKey key, string text)
    {
        Span<byte> secret = stackalloc byte[ApiKey.SecretBytes];
        return ApiKey.TryRead(text, out _, secret) && key.HasSecret(secret);
    }

    private static async Task<string> KeysAsync(string file, params string[] arguments)
    {
        var run = await Ctl.RunAsync(null, ["keys", .. arguments, "--file", file]);
        Assert.True(run.Code == 0, run.Error);
        return run.Out;
    }
}
