// What the engine tells of itself, read as a collector reads it.

using System.Diagnostics.Metrics;
using OrderEngine.Core;

namespace OrderEngine.Engine.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task Instruments_say_what_happened()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        await using var host = new Host();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == EngineMetrics.MeterName && host.Metrics.Owns(instrument.Meter)) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        await host.Engine.StartAsync(default);
        await host.Define(10);
        await host.Ok(Host.Submit(units: 10));
        await host.Execute(Host.Submit(units: 1));
        await host.Execute(new UnknownCommand { Role = Role.Channel });
        await host.Ok(Host.Hold(2, 1, TimeSpan.FromSeconds(5)));
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, 0);
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow().AddSeconds(5));
        var next = host.Engine.View.DurableSequence + 1;
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await host.Engine.View.WaitForAsync(next, default);
        listener.RecordObservableInstruments();

        lock (seen)
        {
            Assert.Equal(1, seen["orderengine.commands{kind=SubmitOrder,outcome=Ok}"]);
            Assert.Equal(1, seen["orderengine.commands{kind=SubmitOrder,outcome=OutOfStock}"]);
            Assert.Equal(1, seen["orderengine.commands{kind=SubmitOrder,outcome=InternalError}"]);
            Assert.Equal(1, seen["orderengine.decide.errors"]);
            Assert.Equal(1, seen["orderengine.timers.fired"]);
            Assert.Equal(1, seen["orderengine.orders"]);
            Assert.Equal(next, seen["orderengine.durable.sequence"]);
            Assert.Equal(1, seen["orderengine.subscribers{stream=orders}"]);
            Assert.Equal(next, seen["orderengine.subscriber.lag{stream=orders}"]);
            Assert.Equal(0, seen["orderengine.queue.length{lane=normal,of=calls}"]);
            Assert.Equal(host.Journal.SizeBytes, seen["orderengine.journal.size"]);
            Assert.Equal(host.Journal.SizeBytes, seen["orderengine.batch.size"]);
            Assert.True(seen["orderengine.state.size"] > 0);
            Assert.True(seen.ContainsKey("orderengine.commit.duration"));
        }

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = string.Join(",", tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
            var name = labels.Length == 0 ? instrument.Name : $"{instrument.Name}{{{labels}}}";
            lock (seen) seen[name] = instrument.IsObservable ? value : seen.GetValueOrDefault(name) + value;
        }
    }
}
