// Log levels while the server runs: over those that it was started with, whatever was said last, by SetLogLevel or by a changed settings file.
// Of the file only the levels are looked at again; everything else of it is read at the next start. Any thread.

namespace OrderEngine.Server;

/// <summary>The levels that were changed since the start. The last source of the configuration, so that they win.</summary>
internal sealed class LogLevels : ConfigurationProvider, IConfigurationSource, IDisposable
{
    private const string Section = "Logging:LogLevel";
    private readonly Lock _changing = new();
    private readonly List<string> _files;
    private ITimer? _timer;
    private ILogger? _logger;
    private DateTime _written;
    private Dictionary<string, string> _inFiles = [];
    private bool _isBroken;

    /// <param name="files">The settings files, the weakest first; they need not be there.</param>
    public LogLevels(IEnumerable<string> files) => _files = [.. files];

    /// <summary>The changed levels by category, in the order of the categories.</summary>
    public IReadOnlyList<(string Category, LogLevel Level)> Changed
    {
        get
        {
            lock (_changing) return [.. Data.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key[(Section.Length + 1)..], Enum.Parse<LogLevel>(entry.Value!)))];
        }
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Sets the level of a category from now on; null: the one that it was started with.</summary>
    public void Set(string category, LogLevel? level)
    {
        lock (_changing)
        {
            // Readers may be walking the present one.
            var data = new Dictionary<string, string?>(Data, StringComparer.OrdinalIgnoreCase);
            if (level is { } changed) data[$"{Section}:{category}"] = changed.ToString();
            else data.Remove($"{Section}:{category}");
            Data = data;
        }
        OnReload();
    }

    /// <summary>Begins to look at the files.</summary>
    public void Watch(TimeProvider time, ILogger logger)
    {
        _logger = logger;
        try
        {
            (_written, _inFiles) = (Written(), ReadFiles());
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException or UnauthorizedAccessException or FormatException)
        {
            ServerLog.LogLevelsBroken(logger, broken.Message);
            _isBroken = true;
        }
        _timer = time.CreateTimer(_ => Reload(), null, ServerLimits.CredentialPoll, ServerLimits.CredentialPoll);
    }

    /// <summary>Looks at the files now, and takes up the levels that were changed in them.</summary>
    public void Reload()
    {
        var before = _inFiles;
        lock (_changing)
        {
            try
            {
                var written = Written();
                if (written == _written && !_isBroken) return;
                (_written, _inFiles, _isBroken) = (written, ReadFiles(), false);
            }
            catch (Exception broken) when (broken is InvalidDataException or IOException or UnauthorizedAccessException or FormatException)
            {
                if (!_isBroken) ServerLog.LogLevelsBroken(_logger!, broken.Message);
                _isBroken = true;
                return;
            }
        }
        foreach (var (category, level) in _inFiles)
        {
            if (before.GetValueOrDefault(category) == level || !Enum.TryParse<LogLevel>(level, ignoreCase: true, out var changed) || !Enum.IsDefined(changed)) continue;
            Set(category, changed);
            ServerLog.LogLevelChanged(_logger!, category, changed, "the settings file");
        }
        foreach (var category in before.Keys.Where(category => !_inFiles.ContainsKey(category)))
        {
            Set(category, null);
            ServerLog.LogLevelReset(_logger!, category, "the settings file");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private DateTime Written() => _files.Select(File.GetLastWriteTimeUtc).DefaultIfEmpty().Max();

    private Dictionary<string, string> ReadFiles()
    {
        var builder = new ConfigurationBuilder();
        foreach (var file in _files.Where(File.Exists)) builder.AddJsonFile(file, optional: true, reloadOnChange: false);
        using var root = (ConfigurationRoot)builder.Build();
        return root.GetSection(Section).GetChildren().Where(entry => entry.Value is not null).ToDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.OrdinalIgnoreCase);
    }
}
