// First figures: the core alone, the core with its journal, snapshots, and recovery from journal and from snapshot, without a network.
// A program to run by hand on a quiet machine: dotnet run -c Release --project load/OrderEngine.Figures -- [orders] [rounds]
// A year of traffic on the whole engine: dotnet run -c Release --project load/OrderEngine.Figures -- year (Year.cs)
// An export of orders in memory and archived: dotnet run -c Release --project load/OrderEngine.Figures -- export (Export.cs)
// Prints each figure's minimum, median and maximum over the rounds; it judges nothing.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Engine;
using OrderEngine.Figures;
using OrderEngine.Journal;

const int Skus = 10_000;
const int LinesPerOrder = 3;
const int OrdersPerBatch = 256;

if (args is ["year", ..])
{
    using var year = new Year(Argument(1, 960), Argument(2, 365), Argument(3, 30));
    await year.RunAsync();
    return 0;
}
if (args is ["export", ..])
{
    using var export = new Export(Argument(1, 100_000), Argument(2, 100_000), Argument(3, 5));
    await export.RunAsync();
    return 0;
}

var orders = Argument(0, 500_000);
var rounds = Argument(1, 5);
var figures = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);

for (var round = 0; round < rounds; round++)
{
    MeasureCore();
    await MeasureJournalAsync();
    MeasureWriterBesideSnapshots();
}
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{orders:N0} orders of {LinesPerOrder} lines on {Skus:N0} SKUs, {OrdersPerBatch} orders a batch, {rounds} rounds"));
Console.WriteLine($"{"",-48} {"min",14} {"median",14} {"max",14}");
foreach (var (name, values) in figures)
{
    values.Sort();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-48} {values[0],14:N0} {values[values.Count / 2],14:N0} {values[^1],14:N0}"));
}
return 0;

int Argument(int index, int fallback) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : fallback;

void Note(string name, double value)
{
    if (!figures.TryGetValue(name, out var values)) figures[name] = values = [];
    values.Add(value);
}

void MeasureCore()
{
    var (core, events) = Prepared(_ => { });
    var residentBefore = core.Reader.ResidentBytes;
    var heapBefore = GC.GetTotalMemory(forceFullCollection: true);
    var commands = Commands();
    long bytes = 0;
    var clock = Stopwatch.StartNew();
    Run(core, events, commands, batch => bytes += batch.Length);
    Note("01 core alone, orders a second", orders / clock.Elapsed.TotalSeconds);
    Note("02 event bytes an order", (double)bytes / orders);
    Note("03 row bytes in memory an order", (double)(core.Reader.ResidentBytes - residentBefore) / orders);
    commands = [];
    Note("04 all bytes in memory an order", (double)(GC.GetTotalMemory(forceFullCollection: true) - heapBefore) / orders);
    GC.KeepAlive(core);
}

async Task MeasureJournalAsync()
{
    var directory = Directory.CreateTempSubdirectory("orderengine-figures-").FullName;
    try
    {
        ulong hash;
        await using (var journal = FasterJournal.Open(new JournalOptions { Directory = directory }, 1, _ => { }))
        {
            var pending = new Queue<Task>();
            var first = 1L;
            void Append(OrderCore core, ReadOnlySpan<byte> payload)
            {
                while (pending.Count >= IJournal.MaxAppendsInFlight) pending.Dequeue().GetAwaiter().GetResult();
                pending.Enqueue(journal.AppendAsync(new JournalBatch(1, first, core.Sequence, payload.ToArray())).AsTask());
                first = core.Sequence + 1;
            }

            byte[] setUp = [];
            var (core, events) = Prepared(batch => setUp = batch.ToArray());
            Append(core, setUp);
            var commands = Commands();
            var clock = Stopwatch.StartNew();
            Run(core, events, commands, batch => Append(core, batch));
            while (pending.Count > 0) await pending.Dequeue();
            Note("05 core and journal, orders a second", orders / clock.Elapsed.TotalSeconds);
            Note("06 journal bytes an order", (double)journal.SizeBytes / orders);
            var summary = core.Seal();
            hash = summary.StateHash;
            var writing = Stopwatch.StartNew();
            var snapshot = new SnapshotStore(directory).Write(add => SnapshotWriter.Write(core.Reader, () => summary, add).Sequence);
            Note("09 snapshot written and verified, milliseconds", writing.Elapsed.TotalMilliseconds);
            Note("10 snapshot bytes an order", (double)snapshot.Bytes / orders);
        }
        MeasureLoad(directory, hash);

        var recovered = new OrderCore();
        var recovery = Stopwatch.StartNew();
        await using (FasterJournal.Open(new JournalOptions { Directory = directory }, 1, batch => Replay(recovered, batch.Payload.Span))) { }
        Note("07 recovery from the journal, orders a second", orders / recovery.Elapsed.TotalSeconds);
        Note("08 recovery from the journal, milliseconds", recovery.Elapsed.TotalMilliseconds);
        if (recovered.Seal().StateHash != hash) throw new InvalidOperationException("The recovered state differs.");
    }
    finally
    {
        Directory.Delete(directory, recursive: true);
    }
}

void MeasureLoad(string directory, ulong hash)
{
    var store = new SnapshotStore(directory);
    var loading = Stopwatch.StartNew();
    // As the engine does: all checksums first.
    store.Read(store.List()[0], _ => { });
    var loader = new SnapshotLoader(new OrderCore());
    store.Read(store.List()[0], loader.Add);
    if (loader.Finish().StateHash != hash) throw new InvalidOperationException("The loaded state differs.");
    Note("11 snapshot verified and loaded, milliseconds", loading.Elapsed.TotalMilliseconds);
}

// The same orders twice: alone, and while one snapshot after another is walked on a thread of its own (its blocks thrown away).
void MeasureWriterBesideSnapshots()
{
    var alone = new List<double>();
    var beside = new List<double>();
    var (core, events) = Prepared(_ => { });
    var commands = Commands();
    var half = commands.Length / 2;
    var summary = core.Seal();
    void Timed(SubmitOrder[] part, List<double> batches)
    {
        var started = Stopwatch.GetTimestamp();
        Run(core, events, part, _ =>
        {
            Volatile.Write(ref summary, core.Seal());
            batches.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            started = Stopwatch.GetTimestamp();
        });
    }

    Timed(commands[..half], alone);
    var stop = false;
    var taken = 0;
    var walker = new Thread(() =>
    {
        while (!Volatile.Read(ref stop))
        {
            // At the engine's pace: it rests for as long as it has worked.
            var began = Stopwatch.GetTimestamp();
            SnapshotWriter.Write(core.Reader, () => Volatile.Read(ref summary), _ =>
            {
                var worked = Stopwatch.GetElapsedTime(began);
                if (worked < EngineBounds.WalkTurn) return;
                Thread.Sleep(worked);
                began = Stopwatch.GetTimestamp();
            });
            taken++;
        }
    });
    walker.Start();
    Timed(commands[half..], beside);
    Volatile.Write(ref stop, true);
    walker.Join();
    Note("12 a batch alone, microseconds, median", Quantile(alone, 0.5));
    Note("13 a batch alone, microseconds, p99", Quantile(alone, 0.99));
    Note("14 a batch beside a snapshot, median", Quantile(beside, 0.5));
    Note("15 a batch beside a snapshot, p99", Quantile(beside, 0.99));
    Note("16 snapshots walked beside it", taken);
}

static double Quantile(List<double> values, double q)
{
    values.Sort();
    return values[(int)(values.Count * q)];
}

static void Replay(OrderCore core, ReadOnlySpan<byte> payload)
{
    var events = new EventEnumerator(payload);
    while (events.MoveNext()) core.Replay(events.Current);
    core.Seal();
    core.Reclaim(core.Sequence);
}

void Run(OrderCore core, EventBuffer events, SubmitOrder[] commands, Action<ReadOnlySpan<byte>> onBatch)
{
    long now = 1_000_000;
    for (var i = 0; i < commands.Length; i++)
    {
        // As the writer does.
        if (i % EngineBounds.LookAhead == 0)
            foreach (var next in commands.AsSpan(i, Math.Min(EngineBounds.LookAhead, commands.Length - i))) core.Prefetch(next);
        if (core.Execute(commands[i], now += 2, events).Outcome != Outcome.Ok) throw new InvalidOperationException("An order was refused.");
        if ((i + 1) % OrdersPerBatch != 0 && i + 1 < commands.Length) continue;
        core.Seal();
        onBatch(events.Written);
        events.Truncate(0);
        if (core.TryOrderMemory()) ThreadPool.UnsafeQueueUserWorkItem(static core => core.MakeMemory(), core, preferLocal: false);
        core.Reclaim(core.Sequence);
    }
}

(OrderCore Core, EventBuffer Events) Prepared(Action<ReadOnlySpan<byte>> onBatch)
{
    var core = new OrderCore();
    var events = new EventBuffer(1 << 20);
    Do(new DefineLocation { Id = "MAIN"u8.ToArray(), Role = Role.Manager });
    Do(new DefineChannel { Id = "web"u8.ToArray(), Role = Role.Manager });
    for (var i = 1; i <= Skus; i++) Do(new DefineSku { Id = Text($"SKU-{i}"), Role = Role.Manager });
    for (var i = 1; i <= Skus; i += 1_000)
        Do(new ReceiveStock { Location = 1, Role = Role.Warehouse, Items = [.. Enumerable.Range(i, 1_000).Select(sku => new SkuQuantity(sku, Limits.QuantityPerLine))] });
    core.Seal();
    onBatch(events.Written);
    events.Truncate(0);
    return (core, events);

    void Do(Command command)
    {
        if (core.Execute(command, 1_000_000, events).Outcome != Outcome.Ok) throw new InvalidOperationException($"{command.Kind} was refused.");
    }
}

SubmitOrder[] Commands()
{
    var random = new Random(1);
    var currency = Currency.Pack("GBP"u8);
    var actor = "adapter-7"u8.ToArray();
    var commands = new SubmitOrder[orders];
    for (var i = 0; i < orders; i++)
    {
        var lines = new DraftLine[LinesPerOrder];
        for (var line = 0; line < lines.Length; line++) lines[line] = new DraftLine(random.Next(Skus) + 1, random.Next(3) + 1, 995);
        commands[i] = new SubmitOrder
        {
            Channel = 1,
            ExternalId = Text($"WEB-{i:D8}"),
            CurrencyCode = currency,
            Role = Role.Channel,
            Actor = actor,
            RequestKey = new UInt128((ulong)random.NextInt64(), (ulong)i + 1),
            BodyDigest = (ulong)i,
            Lines = lines,
        };
    }
    return commands;
}

static byte[] Text(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));
