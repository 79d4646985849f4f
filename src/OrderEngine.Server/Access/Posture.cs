// The two postures: Development listens in the clear on this machine and trusts its callers; everything else wants TLS and credentials, and
// does not start without them unless the setting Allow names what shall be left off. A server for which nobody named an environment, that
// listens on loopback addresses only and was given neither certificate nor credentials, is taken for Development: a binary that somebody tries.
// Whoever ships the server names Production (Dockerfile, deploy/). Pure; runs once, at start.

using System.Net;
using OrderEngine.Access;

namespace OrderEngine.Server.Access;

/// <summary>Decides at start what the server may do without.</summary>
internal static class Posture
{
    private static readonly string[] EnvironmentVariables = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];
    private const string Allow = $"{ServerOptions.Section}:{nameof(ServerOptions.Allow)}";

    /// <summary>The options as the environment has them, and why the server must not start with them.</summary>
    /// <param name="environment">The host's environment; its name is Production when nobody named one.</param>
    /// <param name="isNamed">True: somebody named the environment.</param>
    /// <param name="configuration">Where the addresses come from.</param>
    /// <param name="options">As read.</param>
    /// <param name="problems">Why it must not start; empty: it may.</param>
    public static ServerOptions Of(IHostEnvironment environment, bool isNamed, IConfiguration configuration, ServerOptions options, out IReadOnlyList<string> problems)
    {
        var found = new List<string>();
        problems = found;
        var addresses = Addresses(configuration, options);
        var isLocal = addresses.All(address => address.IsLoopback);
        if (environment.IsDevelopment() || !isNamed && isLocal && IsBare(options))
        {
            if (isLocal) return options with { Allow = options.Allow | Weakenings.Anonymous | Weakenings.Plaintext | Weakenings.Reflection };
            found.AddRange(addresses.Where(address => !address.IsLoopback && !address.IsTls && !options.Allow.HasFlag(Weakenings.Plaintext))
                .Select(address => $"{address.Text} would speak in the clear beyond this machine. Listen on https, or on a loopback address, or set {Allow} to Plaintext."));
        }
        else
        {
            found.AddRange(addresses.Where(address => !address.IsTls && !options.Allow.HasFlag(Weakenings.Plaintext))
                .Select(address => $"{address.Text} would speak in the clear, which {environment.EnvironmentName} does not. "
                    + $"Listen on https with {ServerOptions.Section}:{nameof(ServerOptions.TlsCertificate)}, or set {Allow} to Plaintext."));
        }
        if (!options.TrustsAnonymous && !HasCredentials(options, found))
        {
            found.Add($"Nobody could call this server: '{options.ApiKeysPath}' holds no API key and {ServerOptions.Section}:{nameof(ServerOptions.JwtIssuer)} is not set. "
                + $"Make a key (orderctl keys create NAME --file '{options.ApiKeysPath}' --scopes ...), or set {Allow} to Anonymous, which lets everyone do everything.");
        }
        if (addresses.Any(address => address.IsTls) && options.TlsCertificate is null && !configuration.GetSection("Kestrel").Exists())
            found.Add($"An https address needs {ServerOptions.Section}:{nameof(ServerOptions.TlsCertificate)}: a PEM file with the certificate, its chain and, unless TlsKey names another, its key.");
        return options;
    }

    /// <summary>The names of what is left off by setting, for the log.</summary>
    public static IEnumerable<string> Named(Weakenings allow) => Enum.GetValues<Weakenings>().Where(flag => flag != Weakenings.None && allow.HasFlag(flag)).Select(flag => flag.ToString());

    private static bool IsBare(ServerOptions options) => options.TlsCertificate is null && options.JwtIssuer is null && !File.Exists(options.ApiKeysPath);

    /// <summary>True when the environment was named, by its variables or on the command line.</summary>
    public static bool IsNamed(string[] arguments) =>
        EnvironmentVariables.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
        || arguments.Any(argument => argument.StartsWith("--environment", StringComparison.OrdinalIgnoreCase));

    private static bool HasCredentials(ServerOptions options, List<string> problems)
    {
        if (options.JwtIssuer is not null) return true;
        try
        {
            return ApiKeyFile.Read(options.ApiKeysPath).Any(key => key.Revoked is null);
        }
        catch (ApiKeyFileException broken)
        {
            problems.Add(broken.Message);
            return true;
        }
    }

    private readonly record struct Listening(string Text, bool IsTls, bool IsLoopback);

    // As ASP.NET Core finds them: endpoints of the Kestrel section, else urls, else ports, else our default.
    private static List<Listening> Addresses(IConfiguration configuration, ServerOptions options)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "").ToList();
        if (endpoints.Count == 0) endpoints = Split(configuration["urls"]);
        if (endpoints.Count == 0)
            endpoints = [.. Split(configuration["http_ports"]).Select(port => $"http://*:{port}"), .. Split(configuration["https_ports"]).Select(port => $"https://*:{port}")];
        if (endpoints.Count == 0) endpoints = [options.DefaultAddress];
        return [.. endpoints.Select(Parse)];
    }

    private static List<string> Split(string? list) => [.. (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static Listening Parse(string url)
    {
        var isTls = url.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
        // A socket of the file system is this machine's; "*" and "+" are every address, and no URI.
        if (url.Contains("://unix:", StringComparison.OrdinalIgnoreCase)) return new Listening(url, isTls, true);
        var isLoopback = Uri.TryCreate(url, UriKind.Absolute, out var uri)
            && (uri.Host == "localhost" || IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
        return new Listening(url, isTls, isLoopback);
    }
}
