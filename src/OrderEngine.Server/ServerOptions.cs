// The settings: section "OrderEngine" of the usual configuration (appsettings.json, environment OrderEngine__..., command line).
// Read and checked once at start; a wrong one stops the start with a message that names it and says what to do.

using System.Globalization;
using System.Net;
using OrderEngine.Engine;

namespace OrderEngine.Server;

/// <summary>What a user may set. The gRPC address is set as for every ASP.NET Core server: --urls, or the Kestrel section.</summary>
internal sealed record ServerOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "OrderEngine";

    /// <summary>Where gRPC listens unless the configuration says otherwise.</summary>
    public const string DefaultAddress = "http://127.0.0.1:5080";

    private const string SnapshotIntervalSeconds = "SnapshotIntervalSeconds";

    /// <summary>Where journal, snapshots and keys lie; created if need be. Relative to the working directory.</summary>
    public string DataDirectory { get; init; } = "data";

    /// <summary>The address at which the metrics are served: this machine's only; 0.0.0.0 or [::] for all, as a container needs.</summary>
    public IPAddress MetricsAddress { get; init; } = IPAddress.Loopback;

    /// <summary>The port of http://{address}:{port}/metrics; 0 takes a free one.</summary>
    public int MetricsPort { get; init; } = 9464;

    /// <summary>The engine's own settings.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Reads the section; false with what is wrong, a sentence each.</summary>
    public static bool TryRead(IConfiguration configuration, out ServerOptions options, out IReadOnlyList<string> problems)
    {
        var reader = new SettingReader(configuration.GetSection(Section));
        var defaults = new ServerOptions();
        options = new ServerOptions
        {
            DataDirectory = reader.Text(nameof(DataDirectory), defaults.DataDirectory),
            MetricsAddress = reader.Address(nameof(MetricsAddress), defaults.MetricsAddress),
            MetricsPort = (int)reader.Number(nameof(MetricsPort), defaults.MetricsPort, 0, 65_535),
            Engine = new EngineOptions
            {
                NormalQueueCapacity = (int)reader.Number(nameof(EngineOptions.NormalQueueCapacity), defaults.Engine.NormalQueueCapacity, 1, 1_000_000),
                PriorityQueueCapacity = (int)reader.Number(nameof(EngineOptions.PriorityQueueCapacity), defaults.Engine.PriorityQueueCapacity, 1, 1_000_000),
                MaxOrderSubscribers = (int)reader.Number(nameof(EngineOptions.MaxOrderSubscribers), defaults.Engine.MaxOrderSubscribers, 0, 100_000),
                MaxStockSubscribers = (int)reader.Number(nameof(EngineOptions.MaxStockSubscribers), defaults.Engine.MaxStockSubscribers, 0, 100_000),
                SnapshotJournalBytes = reader.Number(nameof(EngineOptions.SnapshotJournalBytes), defaults.Engine.SnapshotJournalBytes, 1, 1L << 50),
                SnapshotInterval = TimeSpan.FromSeconds(reader.Number(SnapshotIntervalSeconds, (long)defaults.Engine.SnapshotInterval.TotalSeconds, 1, 30 * 24 * 3600)),
                LowDiskBytes = reader.Number(nameof(EngineOptions.LowDiskBytes), defaults.Engine.LowDiskBytes, EngineOptions.LeastLowDiskBytes, 1L << 50),
                LowDiskPercent = (int)reader.Number(nameof(EngineOptions.LowDiskPercent), defaults.Engine.LowDiskPercent, 1, 90),
                StreamHistoryEvents = reader.Number(nameof(EngineOptions.StreamHistoryEvents), defaults.Engine.StreamHistoryEvents, 0, 1L << 50),
            },
        };
        problems = reader.Problems();
        return problems.Count == 0;
    }

    /// <summary>Reads settings one by one and notes what is wrong, unknown names too: a misspelt setting would otherwise do nothing.</summary>
    private sealed class SettingReader(IConfigurationSection section)
    {
        private readonly List<string> _known = [];
        private readonly List<string> _problems = [];

        public string Text(string name, string fallback)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return fallback;
            if (text.Trim().Length == 0) _problems.Add($"{Section}:{name} is empty. Give a directory, or leave the setting out for '{fallback}'.");
            else if (text.Contains('\0', StringComparison.Ordinal)) _problems.Add($"{Section}:{name} contains a NUL character. Give a directory.");
            return text;
        }

        public long Number(string name, long fallback, long least, long most)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return fallback;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
            _problems.Add($"{Section}:{name} is '{text}'. Give a whole number from {least} to {most}, or leave the setting out for {fallback}.");
            return fallback;
        }

        public IPAddress Address(string name, IPAddress fallback)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return fallback;
            if (IPAddress.TryParse(text, out var address)) return address;
            _problems.Add($"{Section}:{name} is '{text}'. Give an IP address, or leave the setting out for {fallback}.");
            return fallback;
        }

        public List<string> Problems()
        {
            foreach (var child in section.GetChildren())
            {
                if (!_known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                    _problems.Add($"{Section}:{child.Key} is not a setting. The settings are {string.Join(", ", _known)}.");
            }
            return _problems;
        }
    }
}
