// The orders that the benchmarks share: 3 lines, 1 to 3 units, on 10,000 SKUs with ample stock.

using System.Globalization;
using System.Text;
using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Benchmarks;

/// <summary>Makes a core that is ready and commands for it.</summary>
public static class Orders
{
    public const int Skus = 10_000;
    public const int LinesPerOrder = 3;

    /// <summary>A core with catalog and stock, and a buffer for its events.</summary>
    public static (OrderCore Core, EventBuffer Events) Prepared()
    {
        var core = new OrderCore();
        var events = new EventBuffer(1 << 20);
        void Do(Command command)
        {
            if (core.Execute(command, 1_000_000, events).Outcome != Outcome.Ok) throw new InvalidOperationException($"{command.Kind} was refused.");
        }

        Do(new DefineLocation { Id = "MAIN"u8.ToArray(), Role = Role.Manager });
        Do(new DefineChannel { Id = "web"u8.ToArray(), Role = Role.Manager });
        for (var i = 1; i <= Skus; i++) Do(new DefineSku { Id = Text($"SKU-{i}"), Role = Role.Manager });
        for (var i = 1; i <= Skus; i += 1_000)
            Do(new ReceiveStock { Location = 1, Role = Role.Warehouse, Items = [.. Enumerable.Range(i, 1_000).Select(sku => new SkuQuantity(sku, Limits.QuantityPerLine))] });
        core.Seal();
        events.Truncate(0);
        return (core, events);
    }

    /// <summary>Commands with ids from <paramref name="first"/> on.</summary>
    public static SubmitOrder[] Submits(int first, int count)
    {
        var random = new Random(first + 1);
        var currency = Currency.Pack("GBP"u8);
        var actor = "adapter-7"u8.ToArray();
        var commands = new SubmitOrder[count];
        for (var i = 0; i < count; i++)
        {
            var lines = new DraftLine[LinesPerOrder];
            for (var line = 0; line < lines.Length; line++) lines[line] = new DraftLine(random.Next(Skus) + 1, random.Next(3) + 1, 995);
            commands[i] = new SubmitOrder
            {
                Channel = 1, ExternalId = Text($"WEB-{first + i:D9}"), CurrencyCode = currency, Role = Role.Channel, Actor = actor,
                RequestKey = new UInt128((ulong)random.NextInt64(), (ulong)(first + i) + 1), BodyDigest = (ulong)i, Lines = lines,
            };
        }
        return commands;
    }

    private static byte[] Text(FormattableString text) => Encoding.UTF8.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
