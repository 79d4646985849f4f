// Proves: a data directory of every earlier format opens, from its snapshots and from its journal alone, and answers what it answered then.

using OrderEngine.Core.Snapshots;

namespace OrderEngine.Server.Tests.Golden;

public sealed class GoldenTests
{
    public static TheoryData<string> Formats => [.. GoldenDirectory.Names];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_directory_of_an_earlier_format_answers_what_it_answered_then(string name)
    {
        var directory = GoldenDirectory.Unpack(name);
        try
        {
            var hash = await CheckAsync(directory, name);
            // What was opened once is opened again, and so is the journal without the snapshots: the state is the same.
            Assert.Equal(hash, await CheckAsync(directory, name));
            Directory.Delete(Path.Combine(directory, "snapshots"), recursive: true);
            Assert.Equal(hash, await CheckAsync(directory, name));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void The_first_format_is_kept() => Assert.Contains("format-1", GoldenDirectory.Names);

    private static async Task<string> CheckAsync(string directory, string name)
    {
        var answers = GoldenDirectory.Answers(name);
        await using var server = await GoldenMaker.StartAsync(directory);
        var status = await server.StatusAsync();
        Assert.Equal(answers.Sequence, status.Sequence);
        if (answers.Format == SnapshotFormat.Version) Assert.Equal(answers.StateHash, status.StateHash);
        foreach (var call in answers.Calls)
        {
            var answer = await GoldenDirectory.AskAsync(server, call.Method, call.Request);
            var difference = GoldenDirectory.Difference(call.Answer, answer);
            Assert.True(difference is null, $"{call.Method} {call.Request.ToJsonString()}: {difference}\nin {answer.ToJsonString()}");
        }
        var invariants = await server.Admin.VerifyInvariantsAsync(new Contracts.V1.VerifyInvariantsRequest());
        Assert.Empty(invariants.Violations);
        // Retries and reads: nothing may have happened.
        Assert.Equal((status.Sequence, status.StateHash), ((await server.StatusAsync()).Sequence, (await server.StatusAsync()).StateHash));
        return status.StateHash;
    }
}
