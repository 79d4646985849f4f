// The settings: section "OrderEngine" of the usual configuration (appsettings.json, environment OrderEngine__..., command line).
// Read and checked once at start; a wrong one stops the start with a message that names it and says what to do.

using System.Globalization;
using System.Net;
using OrderEngine.Access;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Traces;

namespace OrderEngine.Server;

/// <summary>Guards that may be left off, each by name and with a warning at start.</summary>
[Flags]
internal enum Weakenings
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>HTTP/2 in the clear beyond this machine, or in production.</summary>
    Plaintext = 1,
    /// <summary>Callers without a credential, who then may everything.</summary>
    Anonymous = 2,
    /// <summary>Server reflection outside of development.</summary>
    Reflection = 4,
}

/// <summary>What a user may set. The gRPC address is set as for every ASP.NET Core server: --urls, or the Kestrel section.</summary>
internal sealed record ServerOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "OrderEngine";

    /// <summary>Where gRPC listens unless the configuration says otherwise.</summary>
    public string DefaultAddress => TlsCertificate is null ? "http://127.0.0.1:5080" : "https://127.0.0.1:5080";

    private const string SnapshotIntervalSeconds = "SnapshotIntervalSeconds";
    private const string ArchiveAfterDays = "ArchiveAfterDays";

    /// <summary>Where journal, snapshots and keys lie; created if need be. Relative to the working directory.</summary>
    public string DataDirectory { get; init; } = "data";

    /// <summary>The address at which the metrics are served: this machine's only; 0.0.0.0 or [::] for all, as a container needs.</summary>
    public IPAddress MetricsAddress { get; init; } = IPAddress.Loopback;

    /// <summary>The port of http://{address}:{port}/metrics; 0 takes a free one.</summary>
    public int MetricsPort { get; init; } = 9464;

    /// <summary>The file of API keys (orderctl keys); null: <see cref="ApiKeyFile.DefaultName"/> in the data directory.</summary>
    public string? ApiKeys { get; init; }

    /// <summary>Where the API keys lie.</summary>
    public string ApiKeysPath => Path.GetFullPath(ApiKeys ?? Path.Combine(DataDirectory, ApiKeyFile.DefaultName));

    /// <summary>The certificate of https addresses, PEM, with its chain; null: there are none.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>Its key, PEM; null: in the same file.</summary>
    public string? TlsKey { get; init; }

    /// <summary>The authorities that client certificates must come from, PEM; null: clients need none.</summary>
    public string? TlsClientCa { get; init; }

    /// <summary>The issuer of tokens; null: tokens are not taken.</summary>
    public string? JwtIssuer { get; init; }

    /// <summary>The audience of tokens.</summary>
    public string JwtAudience { get; init; } = "orderengine";

    /// <summary>The algorithm that tokens are signed with, and no other.</summary>
    public string JwtAlgorithm { get; init; } = "RS256";

    /// <summary>The issuer's public keys: a JWKS file, or its https URL.</summary>
    public string? JwtKeys { get; init; }

    /// <summary>The authorities that the URL's certificate must come from, PEM; null: those that this machine trusts.</summary>
    public string? JwtKeysCa { get; init; }

    /// <summary>What tokens must be like; null: they are not taken.</summary>
    public JwtSettings? Jwt => JwtIssuer is null ? null : new JwtSettings(JwtIssuer, JwtAudience, JwtAlgorithm, JwtKeys ?? "", JwtKeysCa);

    /// <summary>Where traces go (OTLP), http or https; null: there are none.</summary>
    public Uri? TraceTo { get; init; }

    /// <summary>How: one of <see cref="TraceSettings.Protocols"/>.</summary>
    public string TraceProtocol { get; init; } = TraceSettings.Protocols[0];

    /// <summary>One call in so many is traced, besides those that their callers trace.</summary>
    public int TraceOneIn { get; init; } = 100;

    /// <summary>The same; null: there are none.</summary>
    public TraceSettings? Traces => TraceTo is null ? null : new TraceSettings(TraceTo, TraceProtocol == TraceSettings.Http, TraceOneIn);

    /// <summary>Calls and streamed messages a second of one client (a channel, or the holder of a credential for all); as many may come at once.</summary>
    public int RequestsPerSecond { get; init; } = 10_000;

    /// <summary>Bytes that one client's recorded refusals may take in journal and memory, at once or in a day; while they are spent it changes nothing.</summary>
    public long RefusalBytesPerDay { get; init; } = 256L * 1024 * 1024;

    /// <summary>Connections open at once.</summary>
    public int MaxConnections { get; init; } = 16_000;

    /// <summary>Connections open at once from one address.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 12_000;

    /// <summary>Connections open at once of one client (a channel, or the holder of a credential for all).</summary>
    public int MaxConnectionsPerClient { get; init; } = 2_000;

    /// <summary>New connections let in a second; a twentieth as many may come at once, others wait for up to two seconds or are closed.</summary>
    public int NewConnectionsPerSecond { get; init; } = 500;

    /// <summary>The same from one address.</summary>
    public int NewConnectionsPerSecondPerAddress { get; init; } = 250;

    /// <summary>What of the usual guards is left off, by name.</summary>
    public Weakenings Allow { get; init; }

    /// <summary>True: callers without a credential are believed, whatever they ask.</summary>
    public bool TrustsAnonymous => Allow.HasFlag(Weakenings.Anonymous);

    /// <summary>The engine's own settings.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Reads the section; false with what is wrong, a sentence each.</summary>
    public static bool TryRead(IConfiguration configuration, out ServerOptions options, out IReadOnlyList<string> problems)
    {
        var reader = new SettingReader(configuration.GetSection(Section));
        var defaults = new ServerOptions();
        options = new ServerOptions
        {
            DataDirectory = reader.Text(nameof(DataDirectory), defaults.DataDirectory, "a directory"),
            MetricsAddress = reader.Address(nameof(MetricsAddress), defaults.MetricsAddress),
            MetricsPort = (int)reader.Number(nameof(MetricsPort), defaults.MetricsPort, 0, 65_535),
            ApiKeys = reader.OptionalText(nameof(ApiKeys), "a file"),
            Allow = reader.Flags<Weakenings>(nameof(Allow)),
            RequestsPerSecond = (int)reader.Number(nameof(RequestsPerSecond), defaults.RequestsPerSecond, 1, 1_000_000),
            RefusalBytesPerDay = reader.Number(nameof(RefusalBytesPerDay), defaults.RefusalBytesPerDay, 1, 1L << 50),
            MaxConnections = (int)reader.Number(nameof(MaxConnections), defaults.MaxConnections, 1, 1_000_000),
            MaxConnectionsPerAddress = (int)reader.Number(nameof(MaxConnectionsPerAddress), defaults.MaxConnectionsPerAddress, 1, 1_000_000),
            MaxConnectionsPerClient = (int)reader.Number(nameof(MaxConnectionsPerClient), defaults.MaxConnectionsPerClient, 1, 1_000_000),
            NewConnectionsPerSecond = (int)reader.Number(nameof(NewConnectionsPerSecond), defaults.NewConnectionsPerSecond, 1, 1_000_000),
            NewConnectionsPerSecondPerAddress = (int)reader.Number(nameof(NewConnectionsPerSecondPerAddress), defaults.NewConnectionsPerSecondPerAddress, 1, 1_000_000),
            TlsCertificate = reader.OptionalText(nameof(TlsCertificate), "a file"),
            TlsKey = reader.OptionalText(nameof(TlsKey), "a file"),
            TlsClientCa = reader.OptionalText(nameof(TlsClientCa), "a file"),
            JwtIssuer = reader.OptionalText(nameof(JwtIssuer), "the issuer"),
            JwtAudience = reader.Text(nameof(JwtAudience), defaults.JwtAudience, "the audience"),
            JwtAlgorithm = reader.OneOf(nameof(JwtAlgorithm), defaults.JwtAlgorithm, JwtSettings.Algorithms),
            JwtKeys = reader.OptionalText(nameof(JwtKeys), "a file or an https URL"),
            JwtKeysCa = reader.OptionalText(nameof(JwtKeysCa), "a file"),
            TraceTo = reader.Url(nameof(TraceTo), "http://127.0.0.1:4317"),
            TraceProtocol = reader.OneOf(nameof(TraceProtocol), defaults.TraceProtocol, TraceSettings.Protocols),
            TraceOneIn = (int)reader.Number(nameof(TraceOneIn), defaults.TraceOneIn, 1, 1_000_000),
            Engine = new EngineOptions
            {
                NormalQueueCapacity = (int)reader.Number(nameof(EngineOptions.NormalQueueCapacity), defaults.Engine.NormalQueueCapacity, 1, 1_000_000),
                PriorityQueueCapacity = (int)reader.Number(nameof(EngineOptions.PriorityQueueCapacity), defaults.Engine.PriorityQueueCapacity, 1, 1_000_000),
                MaxOrderSubscribers = (int)reader.Number(nameof(EngineOptions.MaxOrderSubscribers), defaults.Engine.MaxOrderSubscribers, 0, 100_000),
                MaxStockSubscribers = (int)reader.Number(nameof(EngineOptions.MaxStockSubscribers), defaults.Engine.MaxStockSubscribers, 0, 100_000),
                SnapshotJournalBytes = reader.Number(nameof(EngineOptions.SnapshotJournalBytes), defaults.Engine.SnapshotJournalBytes, 1, 1L << 50),
                SnapshotGrowthPercent = (int)reader.Number(nameof(EngineOptions.SnapshotGrowthPercent), defaults.Engine.SnapshotGrowthPercent, 0, 1_000),
                SnapshotInterval = TimeSpan.FromSeconds(reader.Number(SnapshotIntervalSeconds, (long)defaults.Engine.SnapshotInterval.TotalSeconds, 1, 30 * 24 * 3600)),
                LowDiskBytes = reader.Number(nameof(EngineOptions.LowDiskBytes), defaults.Engine.LowDiskBytes, EngineOptions.LeastLowDiskBytes, 1L << 50),
                LowDiskPercent = (int)reader.Number(nameof(EngineOptions.LowDiskPercent), defaults.Engine.LowDiskPercent, 1, 90),
                ArchiveAfter = TimeSpan.FromDays(reader.Number(ArchiveAfterDays, (long)defaults.Engine.ArchiveAfter.TotalDays, 0, EngineOptions.MostArchiveDays)),
                StreamHistoryEvents = reader.Number(nameof(EngineOptions.StreamHistoryEvents), defaults.Engine.StreamHistoryEvents, 0, 1L << 50),
            },
        };
        if (options.JwtIssuer is not null && options.JwtKeys is null)
            reader.Add($"{Section}:{nameof(JwtIssuer)} needs {Section}:{nameof(JwtKeys)}: the JWKS file, or its https URL.");
        problems = reader.Problems();
        return problems.Count == 0;
    }

    /// <summary>Reads settings one by one and notes what is wrong, unknown names too: a misspelt setting would otherwise do nothing.</summary>
    private sealed class SettingReader(IConfigurationSection section)
    {
        private readonly List<string> _known = [];
        private readonly List<string> _problems = [];

        public string Text(string name, string fallback, string what)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return fallback;
            if (text.Trim().Length == 0) _problems.Add($"{Section}:{name} is empty. Give {what}, or leave the setting out{(fallback.Length > 0 ? $" for '{fallback}'" : "")}.");
            else if (text.Contains('\0', StringComparison.Ordinal)) _problems.Add($"{Section}:{name} contains a NUL character. Give {what}.");
            return text;
        }

        public string? OptionalText(string name, string what) => section[name] is null ? Known(name) : Text(name, "", what);

        public void Add(string problem) => _problems.Add(problem);

        public string OneOf(string name, string fallback, IReadOnlyList<string> values)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return fallback;
            if (values.Contains(text)) return text;
            _problems.Add($"{Section}:{name} is '{text}'. Give one of {string.Join(", ", values)}, or leave the setting out for {fallback}.");
            return fallback;
        }

        public T Flags<T>(string name) where T : struct, Enum
        {
            _known.Add(name);
            var flags = 0;
            foreach (var word in (section[name] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (!char.IsAsciiDigit(word[0]) && Enum.TryParse<T>(word, ignoreCase: true, out var flag)) flags |= Convert.ToInt32(flag, CultureInfo.InvariantCulture);
                else _problems.Add($"{Section}:{name} names '{word}'. Give a list, by commas, of {string.Join(", ", Enum.GetNames<T>().Skip(1))}; or leave the setting out.");
            }
            return (T)Enum.ToObject(typeof(T), flags);
        }

        private string? Known(string name)
        {
            _known.Add(name);
            return null;
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

        public Uri? Url(string name, string example)
        {
            _known.Add(name);
            var text = section[name];
            if (text is null) return null;
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0) return url;
            _problems.Add($"{Section}:{name} is '{text}'. Give a URL such as {example}, http or https and without a password, or leave the setting out.");
            return null;
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
