// The attacks by name. Each runs until it is told to stop, reconnects when it is cut off, and counts. Scale is connections unless it says otherwise. The
// pauses of an attack are its pace, part of what it does to the server; no test waits by them or asks how many of them there were.

using System.Net.Sockets;
using System.Security.Authentication;

namespace OrderEngine.Attacks;

/// <summary>What others are promised while an attack lasts.</summary>
/// <param name="MostRatio">Their p99 to that without it.</param>
/// <param name="LeastGoodput">Their orders a second to those without it.</param>
internal sealed record Promise(double MostRatio, double LeastGoodput)
{
    public static Promise Twice { get; } = new(2, 0.9);

    /// <summary>Of ten thousand connections.</summary>
    public static Promise Half { get; } = new(5, 0.5);

    public bool IsKept(double ratio, double goodput) => ratio <= MostRatio && goodput >= LeastGoodput;

    public override string ToString() => $"{MostRatio}";
}

/// <summary>One attack.</summary>
/// <param name="Name">On the command line.</param>
/// <param name="NeedsKey">True: only the holder of a key can do it.</param>
/// <param name="Scale">For figures.</param>
/// <param name="SmallScale">For a test.</param>
/// <param name="Body">What it does on one connection; null: the whole attack is its own.</param>
internal sealed record Attack(string Name, bool NeedsKey, int Scale, int SmallScale, Func<Target, Counters, CancellationToken, Task> Body)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>How long it lasts for figures; null: as all do. Ten thousand connections at the pace of new ones take some forty seconds.</summary>
    public TimeSpan? Takes { get; init; }

    /// <summary>What others are promised while it lasts; null: that they are served.</summary>
    public Promise? Promise { get; init; }

    public static IReadOnlyList<Attack> All { get; } =
    [
        new("rapid-reset", false, 50, 4, Each(Floods.RapidResetAsync)) { Promise = Promise.Twice },
        new("rapid-reset-with-key", true, 50, 4, Each(Floods.RapidResetAsync)) { Promise = Promise.Twice },
        new("health-flood", false, 50, 4, Each(Floods.HealthAsync)),
        new("settings-flood", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Setting(3, 100), u))),
        new("settings-flood-unread", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Setting(3, 100), u, reads: false))),
        new("ping-flood", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Of(FrameType.Ping, 0, 0, new byte[8]), u))),
        new("ping-flood-unread", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Of(FrameType.Ping, 0, 0, new byte[8]), u, reads: false))),
        new("priority-flood", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Of(FrameType.Priority, 0, 5, [0, 0, 0, 3, 16]), u))),
        new("window-flood", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.WindowUpdate(0, 1), u, perWrite: 100))),
        new("unknown-flood", false, 50, 4, Each((t, c, u) => Floods.OfAsync(t, c, Frames.Of(0x7f, 0, 0, new byte[64], 64), u))),
        new("empty-data-flood", true, 50, 4, Each(Floods.EmptyDataAsync)),
        new("continuation-flood", false, 50, 4, Each(Floods.ContinuationAsync)),
        new("hpack-bomb", false, 50, 4, Each(Floods.HpackBombAsync)),
        new("malformed-frames", false, 50, 4, Each(Nonsense.FramesAsync)) { Promise = Promise.Twice },
        new("malformed-messages", true, 50, 4, Each(Nonsense.MessagesAsync)) { Promise = Promise.Twice },
        new("oversized-messages", true, 20, 4, Each(Nonsense.OversizedAsync)),
        new("compressed-messages", true, 50, 4, Each(Nonsense.CompressedAsync)),
        new("half-messages", true, 200, 100, Each(Slow.HalfMessagesAsync)),
        new("slow-readers", true, 200, 20, Each(Slow.ReadersAsync)) { Promise = Promise.Twice },
        new("slow-readers-of-the-socket", true, 50, 4, Each(Slow.SocketReadersAsync)) { Promise = Promise.Twice },
        new("slow-writers", true, 500, 50, Each(Slow.WritersAsync)) { Promise = Promise.Twice },
        new("unfinished-headers", false, 500, 50, Each(Slow.HeadersAsync)),
        new("silent-after-connect", false, 2_000, 100, Each(Slow.SilentAsync)),
        new("health-watches", false, 50, 8, Each(Slow.HealthWatchesAsync)),
        new("many-streams", true, 20, 4, Each(Slow.ManyStreamsAsync)),
        new("connection-storm", false, 100, 20, Each(Floods.ConnectionsAsync)),
        new("connections-with-key", true, 3_000, 300, Each(Slow.ConnectionsWithKeyAsync)),
        new("connections", false, 10_000, 300, Each(Slow.ConnectionsAsync)) { Takes = TimeSpan.FromSeconds(50), Promise = Promise.Half },
    ];

    public static Attack Named(string name) => All.Single(attack => attack.Name == name);

    // So many connections at once, each opened again when it ends.
    private static Func<Target, Counters, CancellationToken, Task> Each(Func<Target, Counters, CancellationToken, Task> connection) => async (target, counters, until) =>
    {
        await Task.WhenAll(Enumerable.Range(0, target.Scale).Select(_ => Task.Run(() => AgainAsync(), CancellationToken.None)));

        async Task AgainAsync()
        {
            while (!until.IsCancellationRequested)
            {
                try
                {
                    await connection(target, counters, until);
                }
                catch (Exception cut) when (cut is IOException or SocketException or AuthenticationException or ObjectDisposedException)
                {
                    counters.Add("cut");
                    await Task.Delay(Pause, CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    };
}
