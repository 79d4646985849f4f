// Owns what the engine has acknowledged, as the answers arrive. Answers come from any thread; waiting is one at a time.
using System.Collections.Concurrent;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.System.Tests.Harness;

/// <summary>An answer that the engine may never take back. A refusal has no order.</summary>
internal sealed record Acknowledged(string OrderId, long Sequence, string Reason);

/// <summary>Answers by request id. The same request must get the same answer, however often it is sent.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<string, Acknowledged> _answers = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private long _waitingFor;
    private long _arrived;

    public IReadOnlyDictionary<string, Acknowledged> Answers => _answers;

    /// <summary>Answers so far, repeated ones included.</summary>
    public long Arrived => Interlocked.Read(ref _arrived);

    public int Accepted => _answers.Values.Count(answer => answer.Reason.Length == 0);

    /// <summary>Enters an answer.</summary>
    public void Enter(Outcome<SubmitOrderResponse> outcome)
    {
        var answer = outcome.IsAccepted
            ? new Acknowledged(outcome.Accepted.OrderId, outcome.Accepted.Sequence, "")
            : new Acknowledged("", 0, outcome.Refused.ReasonName);
        Assert.True(outcome.IsAccepted || outcome.Refused.Reason == ErrorReason.OutOfStock, outcome.Refused?.ToString());
        if (!_answers.TryAdd(outcome.RequestId, answer))
        {
            Assert.Equal(_answers[outcome.RequestId], answer);
            Assert.True(outcome.IsAccepted ? outcome.Accepted.Replayed : outcome.Refused.Replayed, $"{outcome.RequestId} was answered anew");
        }

        lock (_gate)
        {
            _arrived++;
            if (_arrived >= _waitingFor)
                _waiting?.TrySetResult();
        }
    }

    /// <summary>Completes with the answer that makes so many.</summary>
    public Task WhenArrivedAsync(long count)
    {
        lock (_gate)
        {
            if (_arrived >= count)
                return Task.CompletedTask;
            _waitingFor = count;
            _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiting.Task;
        }
    }
}
