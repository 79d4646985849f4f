// Connections and calls that were not let in, and requests that were refused before they were queued, by reason: counters on the meter of the server.
// Reasons are those of the catalogue, and three more of connections: no caller makes another series. Counted on any thread.

using System.Diagnostics.Metrics;

namespace OrderEngine.Server.Access;

/// <summary>What the server tells of whom it refuses.</summary>
internal sealed class AccessMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "OrderEngine.Server";

    private readonly Meter _meter;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _declined;
    private Func<int>? _connections;

    /// <param name="meters">The host's.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="certificates">The server's certificate; none where it speaks in the clear.</param>
    public AccessMetrics(IMeterFactory meters, TimeProvider time, IEnumerable<CertificateFile> certificates)
    {
        _meter = meters.Create(MeterName);
        _refused = _meter.CreateCounter<long>("orderengine.access.refusals", "{call}", "Connections closed at once and calls refused before they were looked at, by reason: credential, scope, rate, open calls, bytes of messages, refusals on record, and more asked than can be done.");
        _declined = _meter.CreateCounter<long>("orderengine.request.refusals", "{request}", "Requests refused before they were queued, by reason: a wrong field, an unknown id, too large, too many streams. Each of a message counts.");
        _meter.CreateObservableGauge("orderengine.connections", () => _connections?.Invoke() ?? 0, "{connection}", "Connections open, or waiting for their turn.");
        if (certificates.SingleOrDefault() is not { } certificate) return;
        _meter.CreateObservableGauge("orderengine.tls.certificate.remaining", () => (certificate.NotAfter - time.GetUtcNow().UtcDateTime).TotalSeconds, "s", "Until the certificate in use ends.");
    }

    /// <summary>A call was not let in.</summary>
    public void Refused(Google.Rpc.Status status) => Add(_refused, ReasonOf(status));

    /// <summary>A connection was closed at once, or a call not let in.</summary>
    /// <param name="reason">One of few.</param>
    public void Refused(string reason) => Add(_refused, reason);

    /// <summary>A request of a call that was let in was refused before it was queued.</summary>
    public void Declined(Google.Rpc.Status status) => Add(_declined, ReasonOf(status));

    /// <summary>Where the number of open connections is read; null: nowhere.</summary>
    public void ObserveConnections(Func<int>? read) => _connections = read;

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static string ReasonOf(Google.Rpc.Status status) => status.Details.Count > 0 ? status.Details[0].Unpack<Google.Rpc.ErrorInfo>().Reason : "UNIMPLEMENTED";

    private static void Add(Counter<long> counter, string reason) => counter.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
