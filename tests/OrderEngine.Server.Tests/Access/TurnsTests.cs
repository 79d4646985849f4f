// Whose calls begin next: so many at once, clients in turn, and nobody keeps a place that he does not use.

using System.Buffers.Binary;
using System.IO.Pipelines;
using OrderEngine.Server.Access;

namespace OrderEngine.Server.Tests.Access;

public sealed class TurnsTests : IDisposable
{
    private const int Most = 4;
    // Of a test that waits for what must have come.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly ManualTime _time = new();
    private static readonly TimeSpan Little = TimeSpan.FromMilliseconds(20);
    private readonly Turns _turns;
    private Task<ReadResult>? _waiting;

    public TurnsTests() => _turns = new Turns(Most, 1, _time);

    public void Dispose() => _turns.Dispose();

    [Fact]
    public void So_many_calls_begin_and_more_when_some_have()
    {
        using var one = _turns.Join();
        using var other = _turns.Join();
        Assert.Equal(3, one.TryTake(3));
        Assert.Equal(1, other.TryTake(5));
        Assert.Equal(0, other.TryTake(1));
        one.GiveBack();
        Assert.Equal((1, Most), (other.TryTake(2), _turns.Taken));
    }

    [Fact]
    public async Task A_client_waits_for_one_call_of_another_and_not_for_all_of_them()
    {
        // Ten connections of a client that has more to do than there are places, and one call of another that comes last.
        var greedy = Enumerable.Range(0, 10).Select(_ => _turns.Join()).ToList();
        Assert.Equal(Most, greedy[0].TryTake(Most));
        var waiting = greedy.Select(one => one.WaitAsync("greedy").AsTask()).ToList();
        using var good = _turns.Join();
        Assert.Equal(0, good.TryTake(1));
        var turn = good.WaitAsync("good").AsTask();
        Assert.Equal(11, _turns.Waiting);

        greedy[0].GiveBack();
        Assert.Equal(1, await waiting[0].WaitAsync(s_patience));
        Assert.False(turn.IsCompleted);
        greedy[0].GiveBack();

        Assert.Equal(1, await turn.WaitAsync(s_patience));
        Assert.False(waiting[1].IsCompleted);
        good.GiveBack();
        Assert.Equal(1, await waiting[1].WaitAsync(s_patience));
        foreach (var one in greedy) one.Dispose();
    }

    [Fact]
    public async Task A_place_that_is_given_back_while_a_connection_begins_to_wait_is_not_lost()
    {
        using var turns = new Turns(1, 1, TimeProvider.System);
        var connections = Enumerable.Range(0, 4).Select(_ => turns.Join()).ToList();
        await Task.WhenAll(connections.Select((connection, number) => Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                if (connection.TryTake(1) == 0) Assert.Equal(1, await connection.WaitAsync(number % 2 == 0 ? "even" : "odd"));
                connection.GiveBack();
            }
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal((0, 0), (turns.Taken, turns.Waiting));
    }

    [Fact]
    public async Task What_never_begins_keeps_its_place_for_a_while_only_and_late_returns_count_for_nothing()
    {
        using var dead = _turns.Join();
        using var good = _turns.Join();
        Assert.Equal(Most, dead.TryTake(Most));
        var turn = good.WaitAsync("good").AsTask();
        _time.Advance(ServerLimits.LongestTurn / 2);
        Assert.False(turn.IsCompleted);
        _time.Advance(ServerLimits.LongestTurn);
        Assert.Equal(1, await turn.WaitAsync(s_patience));
        for (var i = 0; i < Most; i++) dead.GiveBack();
        Assert.Equal(1, _turns.Taken);
    }

    [Fact]
    public async Task Who_leaves_or_waits_no_longer_keeps_nothing_from_others()
    {
        var leaves = _turns.Join();
        Assert.Equal(Most, leaves.TryTake(Most));
        var gone = _turns.Join();
        var waiting = gone.WaitAsync("gone").AsTask();
        using var good = _turns.Join();
        var turn = good.WaitAsync("good").AsTask();
        gone.Dispose();
        Assert.Equal(0, await waiting);
        leaves.Dispose();
        Assert.Equal(1, await turn.WaitAsync(s_patience));
        good.GiveBack();
        leaves.TryTake(1);
        Assert.Equal((0, 0), (_turns.Taken, _turns.Waiting));
    }

    [Fact]
    public async Task Bytes_pass_up_to_the_call_that_must_wait_and_all_of_them_in_the_end()
    {
        using var turns = _turns.Join();
        byte[] other = [.. Frame(4, 0, 6), .. Frame(8, 0, 4)];
        byte[] sent = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. other, .. Calls(1, 6), .. Frame(1, 11, 3)];
        // In pieces of every size, so that heads of frames are torn anywhere.
        for (var size = 1; size <= 64; size++)
        {
            var pipe = new Pipe(new PipeOptions(minimumSegmentSize: 16));
            var reader = new TurnReader(pipe.Reader, turns, new ShownCredential());
            var writing = Task.Run(async () =>
            {
                foreach (var piece in sent.Chunk(size)) await pipe.Writer.WriteAsync(piece);
                await pipe.Writer.CompleteAsync();
            });
            var seen = new List<byte>();
            while (true)
            {
                var result = await reader.ReadAsync();
                foreach (var part in result.Buffer) seen.AddRange(part.ToArray());
                reader.AdvanceTo(result.Buffer.End);
                Assert.InRange(_turns.Taken, 0, Most);
                turns.GiveBack(_turns.Taken);
                if (result.IsCompleted) break;
            }
            await writing;
            Assert.Equal(sent, seen);
        }
        Assert.Equal(0, _turns.Taken);
    }

    [Fact]
    public async Task A_connection_whose_calls_do_not_begin_is_not_read_on_and_ends_all_the_same()
    {
        var pipe = new Pipe();
        using var turns = _turns.Join();
        var reader = new TurnReader(pipe.Reader, turns, new ShownCredential());
        byte[] preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8];
        var call = Calls(1, 1).Length;
        await pipe.Writer.WriteAsync((byte[])[.. preface, .. Calls(1, 10), .. Frame(6, 0, 8)]);

        var first = await reader.ReadAsync();
        Assert.Equal(preface.Length + Most * call, first.Buffer.Length);
        reader.AdvanceTo(first.Buffer.End);
        var second = reader.ReadAsync().AsTask();
        Assert.False(second.IsCompleted);

        turns.GiveBack();
        var one = await second;
        Assert.Equal(call, one.Buffer.Length);
        reader.AdvanceTo(one.Buffer.End);
        var third = reader.ReadAsync().AsTask();
        Assert.False(third.IsCompleted);
        reader.CancelPendingRead();
        Assert.True((await third).IsCanceled);
        reader.AdvanceTo((await third).Buffer.Start);
    }

    [Fact]
    public async Task Late_calls_are_turned_away_when_all_have_been_late_for_a_while_and_until_none_is()
    {
        var pipe = new Pipe();
        using var other = _turns.Join();
        using var turns = _turns.Join();
        var shown = new ShownCredential();
        var reader = new TurnReader(pipe.Reader, turns, shown);
        await pipe.Writer.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0)]);
        reader.AdvanceTo((await reader.ReadAsync()).Buffer.End);
        Assert.Equal(Most, other.TryTake(Most));
        var next = 1;

        // A burst: what came before is late, and is served all the same; what comes in time is no reason either.
        await Come(3);
        Assert.False(await Begins(after: ServerLimits.LongestUnread + Little));
        Assert.False(await Begins(after: ServerLimits.LongestBurst - 2 * Little));
        Assert.False(await Begins(after: TimeSpan.Zero));
        await Come(1);
        Assert.False(await Begins(after: ServerLimits.LongestUnread - Little));
        await Come(3);
        Assert.False(await Begins(after: ServerLimits.LongestUnread + Little));
        // More than a burst: late for a while, all of them, whatever comes behind them; that is in time.
        await pipe.Writer.WriteAsync(Calls(next, 1));
        next += 2;
        Assert.True(await Begins(after: ServerLimits.LongestBurst));
        Assert.True(await Begins(after: TimeSpan.Zero));
        Assert.False(await Begins(after: TimeSpan.Zero));
        // In time: served, whatever was. Late soon after: turned away at once.
        await Come(2);
        Assert.False(await Begins(after: Little));
        Assert.True(await Begins(after: ServerLimits.LongestUnread + Little));
        // It is over when nothing has been late for a while, and what was late long ago is no part of the next.
        await Come(1);
        Assert.False(await Begins(after: Little));
        _time.Advance(ServerLimits.EndOfOverload);
        await Come(1);
        Assert.False(await Begins(after: Little));
        await Come(1);
        Assert.False(await Begins(after: ServerLimits.LongestUnread + Little));
        _time.Advance(ServerLimits.EndOfOverload);
        await Come(1);
        Assert.False(await Begins(after: ServerLimits.LongestUnread + Little));

        // So soon after it is the same overload. After a pause it is over, with no call in time between.
        await Come(1);
        Assert.True(await Begins(after: ServerLimits.LongestUnread + Little));
        _time.Advance(ServerLimits.EndOfOverload);
        await Come(1);
        Assert.False(await Begins(after: ServerLimits.LongestUnread + Little));

        // Arrive while every place is taken, and are looked at.
        async Task Come(int calls)
        {
            await pipe.Writer.WriteAsync(Calls(next, calls));
            next += 2 * calls;
            _waiting = reader.ReadAsync().AsTask();
            Assert.False(_waiting.IsCompleted);
        }

        // One place becomes free, and the next call begins.
        async Task<bool> Begins(TimeSpan after)
        {
            _waiting ??= reader.ReadAsync().AsTask();
            _time.Advance(after);
            // What has kept its place for long has lost it.
            if (_turns.Taken == Most) other.GiveBack();
            var read = await _waiting.WaitAsync(s_patience);
            _waiting = null;
            reader.AdvanceTo(read.Buffer.End);
            turns.GiveBack();
            other.TryTake(Most - _turns.Taken);
            Assert.Equal(Most, _turns.Taken);
            return shown.TurnsAway;
        }
    }

    [Fact]
    public async Task Who_sends_half_a_head_and_waits_is_not_late()
    {
        var pipe = new Pipe();
        using var turns = _turns.Join();
        var shown = new ShownCredential();
        var reader = new TurnReader(pipe.Reader, turns, shown);
        await pipe.Writer.WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0)]);
        reader.AdvanceTo((await reader.ReadAsync()).Buffer.End);
        for (var call = 0; call < 4; call++)
        {
            var bytes = Calls(1 + 2 * call, 1);
            await pipe.Writer.WriteAsync(bytes.AsMemory(0, 5));
            var read = reader.ReadAsync().AsTask();
            Assert.False(read.IsCompleted);
            _time.Advance(ServerLimits.LongestUnread + ServerLimits.LongestBurst);
            await pipe.Writer.WriteAsync(bytes.AsMemory(5));
            reader.AdvanceTo((await read.WaitAsync(s_patience)).Buffer.End);
            turns.GiveBack();
            Assert.False(shown.TurnsAway);
        }
    }

    [Fact]
    public async Task What_is_not_HTTP2_passes_as_it_comes()
    {
        var pipe = new Pipe();
        using var turns = _turns.Join();
        var reader = new TurnReader(pipe.Reader, turns, new ShownCredential());
        // TLS, and within it what looks like calls.
        byte[] bytes = [22, 3, 1, .. Calls(1, 10)];
        await pipe.Writer.WriteAsync(bytes);
        var result = await reader.ReadAsync();
        Assert.Equal((bytes.Length, 0), (result.Buffer.Length, _turns.Taken));
        reader.AdvanceTo(result.Buffer.End);
    }

    // Headers and an empty message of each.
    private static byte[] Calls(int from, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(i => (byte[])[.. Frame(1, from + 2 * i, 20), .. Frame(0, from + 2 * i, 5)])];

    private static byte[] Frame(byte type, int stream, int length)
    {
        var frame = new byte[9 + length];
        frame[2] = (byte)length;
        frame[3] = type;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        return frame;
    }
}
