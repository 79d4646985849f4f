// Calls that the gate did not let in, by reason: a counter on the meter of the server. Counted on any thread.

using System.Diagnostics.Metrics;

namespace OrderEngine.Server.Access;

/// <summary>What the gate tells of itself.</summary>
internal sealed class AccessMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "OrderEngine.Server";

    private readonly Meter _meter;
    private readonly Counter<long> _refused;

    /// <param name="meters">The host's.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="certificates">The server's certificate; none where it speaks in the clear.</param>
    public AccessMetrics(IMeterFactory meters, TimeProvider time, IEnumerable<CertificateFile> certificates)
    {
        _meter = meters.Create(MeterName);
        _refused = _meter.CreateCounter<long>("orderengine.access.refusals", "{call}", "Calls refused before they were looked at, by reason: credential, scope, rate, open calls, bytes of messages, refusals on record.");
        if (certificates.SingleOrDefault() is not { } certificate) return;
        _meter.CreateObservableGauge("orderengine.tls.certificate.remaining", () => (certificate.NotAfter - time.GetUtcNow().UtcDateTime).TotalSeconds, "s", "Until the certificate in use ends.");
    }

    /// <summary>A call was refused.</summary>
    public void Refused(Google.Rpc.Status status)
    {
        var reason = status.Details.Count > 0 ? status.Details[0].Unpack<Google.Rpc.ErrorInfo>().Reason : "UNIMPLEMENTED";
        _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
