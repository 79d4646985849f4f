// Which services answer, as the health protocol tells it. The composition sets it from any thread; watchers wait on it.

using System.Runtime.CompilerServices;
using ServingStatus = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Protocol;

/// <summary>
/// The serving status of each service and, under the empty name, of the server as a whole. All begin as NOT_SERVING, which
/// is true until recovery is done. Thread-safe; readers never wait for each other.
/// </summary>
public sealed class HealthStatus
{
    /// <summary>The name under which the server as a whole is kept.</summary>
    public const string WholeServer = "";

    /// <summary>
    /// The name under which the process as such is kept: SERVING from the first moment until it stops, whatever else is NOT_SERVING. What restarts
    /// processes asks this; what sends them work asks the whole server or a service.
    /// </summary>
    public const string Liveness = "liveness";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServingStatus> _statuses = [];
    private TaskCompletionSource _changed = NewSignal();
    private bool _stopped;

    /// <summary>Knows the server as a whole and these services (full names), all NOT_SERVING.</summary>
    public HealthStatus(params IEnumerable<string> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        _statuses[WholeServer] = ServingStatus.NotServing;
        foreach (var service in services)
            _statuses[service] = ServingStatus.NotServing;
    }

    /// <summary>Sets one service, which becomes known by it. Watchers are told if it changed. No effect after <see cref="Stop"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is neither SERVING nor NOT_SERVING.</exception>
    public void Set(string service, ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        Change(status, [service]);
    }

    /// <summary>Sets every known service and the server as a whole. No effect after <see cref="Stop"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is neither SERVING nor NOT_SERVING.</exception>
    public void SetAll(ServingStatus status) => Change(status, null);

    /// <summary>
    /// Says NOT_SERVING for everything, for good, and ends all watches once they have said it. Called when the host begins to
    /// stop: it waits for open streams. Calling it again has no effect.
    /// </summary>
    public void Stop() => Change(ServingStatus.NotServing, null, stop: true);

    /// <summary>The status of one service; false when it is not known.</summary>
    public bool TryGet(string service, out ServingStatus status)
    {
        lock (_gate)
            return _statuses.TryGetValue(service, out status);
    }

    /// <summary>The status of every known service at one moment.</summary>
    public IReadOnlyDictionary<string, ServingStatus> All()
    {
        lock (_gate)
            return new Dictionary<string, ServingStatus>(_statuses);
    }

    /// <summary>
    /// The status of one service now and whenever it changes, SERVICE_UNKNOWN while it is not known; ends after
    /// <see cref="Stop"/>. A reader that is slow sees the newest status, not those in between.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async IAsyncEnumerable<ServingStatus> Watch(
        string service, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ServingStatus? last = null;
        while (true)
        {
            ServingStatus now;
            bool stopped;
            Task changed;
            lock (_gate)
            {
                now = _statuses.GetValueOrDefault(service, ServingStatus.ServiceUnknown);
                stopped = _stopped;
                changed = _changed.Task;
            }
            if (now != last)
                yield return now;
            last = now;
            if (stopped)
                yield break;
            await changed.WaitAsync(cancellationToken);
        }
    }

    // Null services: all of them. Any change wakes all watchers: changes are a few in a process's life.
    private void Change(ServingStatus status, string[]? services, bool stop = false)
    {
        if (status is not (ServingStatus.Serving or ServingStatus.NotServing))
            throw new ArgumentOutOfRangeException(nameof(status), status, "A service is either SERVING or NOT_SERVING.");
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (_stopped)
                return;
            _stopped = stop;
            foreach (var service in services ?? [.. _statuses.Keys])
                _statuses[service] = status;
            changed = _changed;
            _changed = NewSignal();
        }
        changed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
