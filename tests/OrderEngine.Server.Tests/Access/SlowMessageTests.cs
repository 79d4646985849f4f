// Calls whose message does not come, or comes a byte at a time: their connections are closed, some at a time, and nobody else's.

using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Server.Access;

namespace OrderEngine.Server.Tests.Access;

public sealed class SlowMessageTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly AccessMetrics _metrics;
    private readonly SlowMessages _slow;
    private readonly ClientShare _share = new(1_000_000, new RefusalAllowance(1, TimeProvider.System));

    public SlowMessageTests()
    {
        _metrics = new AccessMetrics(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), _time, []);
        _slow = new SlowMessages(_time, _metrics);
    }

    public void Dispose()
    {
        _slow.Dispose();
        _metrics.Dispose();
        _share.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_connection_whose_message_does_not_come_is_closed_when_its_time_is_over_and_not_before()
    {
        var call = Begin();
        await call.SendAsync(5);
        _time.Advance(ServerLimits.LowestRateGrace - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, call.Closed);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, call.Closed);
        _time.Advance(2 * ServerLimits.LowestRateGrace);
        Assert.Equal(1, call.Closed);
        Assert.False(call.Arrives.IsCompleted);
        call.Break(new Microsoft.AspNetCore.Connections.ConnectionResetException("Closed."));
        Assert.False(await call.Arrives);
    }

    [Fact]
    public async Task One_that_comes_fast_enough_stays_open_for_as_long_as_it_does()
    {
        var call = Begin();
        var enough = (int)(ServerLimits.LowestRate * ServerLimits.LowestRateGrace.TotalSeconds);
        for (var i = 0; i < 3; i++)
        {
            await call.SendAsync(enough);
            _time.Advance(ServerLimits.LowestRateGrace);
            Assert.Equal((0, 1), (call.Closed, _slow.Count));
        }
        await call.SendAsync(enough - 1);
        _time.Advance(ServerLimits.LowestRateGrace);
        Assert.Equal(1, call.Closed);
    }

    [Fact]
    public async Task What_has_come_is_not_watched_any_more_and_its_reader_reads_all_of_it()
    {
        var late = Begin();
        await late.SendAsync(3);
        await late.SendAsync(4);
        Assert.Equal(1, _slow.Count);
        await late.EndAsync();
        Assert.True(await late.Arrives);
        var atOnce = Begin(bytes: 7, isWhole: true);
        Assert.True(atOnce.Arrives.IsCompletedSuccessfully);
        // Larger ones are their reader's to wait for: it sees how large they are.
        var large = Begin(ServerLimits.FreeMessageBytes);
        Assert.True(large.Arrives.IsCompletedSuccessfully);
        Assert.Equal(0, _slow.Count);
        _time.Advance(2 * ServerLimits.LowestRateGrace);
        foreach (var (call, bytes) in new[] { (late, 7), (atOnce, 7), (large, ServerLimits.FreeMessageBytes) })
        {
            Assert.Equal(0, call.Closed);
            Assert.Equal(bytes, (await call.Meter.ReadAsync()).Buffer.Length);
        }
    }

    [Fact]
    public async Task Many_are_closed_some_at_a_time()
    {
        const int Many = 2 * ServerLimits.SlowMessagesAtOnce + 10;
        var calls = Enumerable.Range(0, Many).Select(_ => Begin()).ToList();
        var good = Begin();
        await good.EndAsync();
        _time.Advance(ServerLimits.LowestRateGrace);
        Assert.Equal(ServerLimits.SlowMessagesAtOnce, calls.Sum(call => call.Closed));
        _time.Advance(ServerLimits.SlowMessagesPause);
        Assert.Equal(2 * ServerLimits.SlowMessagesAtOnce, calls.Sum(call => call.Closed));
        _time.Advance(ServerLimits.SlowMessagesPause);
        Assert.All(calls, call => Assert.Equal(1, call.Closed));
        Assert.Equal(0, good.Closed);
        // Who comes after all that is watched, too.
        var next = Begin();
        _time.Advance(ServerLimits.LowestRateGrace);
        Assert.Equal(1, next.Closed);
    }

    [Fact]
    public void What_came_for_one_call_does_not_count_for_the_next_that_uses_its_meter()
    {
        // Meters are everybody's: another test may take the one that was given back.
        Call first, next;
        var tries = 0;
        do
        {
            Assert.True(tries++ < 1_000, "No meter is used again.");
            first = Begin(ServerLimits.FreeMessageBytes - 1, isWhole: true);
            first.Meter.Release();
            next = Begin();
        }
        while (first.Meter != next.Meter);
        _time.Advance(ServerLimits.LowestRateGrace);
        Assert.Equal(1, next.Closed);
    }

    [Fact]
    public async Task A_message_that_breaks_a_rule_is_left_to_its_reader_to_answer()
    {
        var call = Begin();
        call.Break(new BadHttpRequestException("Too large."));
        Assert.True(await call.Arrives);
        await Assert.ThrowsAsync<BadHttpRequestException>(async () => await call.Meter.ReadAsync());
    }

    private Call Begin(int bytes = 0, bool isWhole = false) => new(_share, _slow, _metrics, bytes, isWhole);

    private sealed class Call : IRequestBodyPipeFeature, IConnectionLifetimeFeature
    {
        private readonly Pipe _pipe = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0));

        public Call(ClientShare share, SlowMessages slow, AccessMetrics metrics, int bytes, bool isWhole)
        {
            var context = new DefaultHttpContext();
            context.Features.Set<IRequestBodyPipeFeature>(this);
            context.Features.Set<IConnectionLifetimeFeature>(this);
            if (bytes > 0) _ = _pipe.Writer.WriteAsync(new byte[bytes]).AsTask();
            if (isWhole) _pipe.Writer.Complete();
            Meter = MessageMeter.Attach(context, share, isStream: false, slow, metrics);
            Arrives = Meter.ArrivesAsync().AsTask();
        }

        public MessageMeter Meter { get; }

        public Task<bool> Arrives { get; }

        public int Closed { get; private set; }

        public PipeReader Reader => _pipe.Reader;

        public CancellationToken ConnectionClosed { get; set; }

        public async Task SendAsync(int bytes) => await _pipe.Writer.WriteAsync(new byte[bytes]);

        public async Task EndAsync() => await _pipe.Writer.CompleteAsync();

        public void Break(Exception why) => _pipe.Writer.Complete(why);

        public void Abort() => Closed++;
    }
}
