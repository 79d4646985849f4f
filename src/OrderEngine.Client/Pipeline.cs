// Owns the conversation of a two-way stream: a bounded window of unanswered items, packing, matching by client_seq, and after a break
// the same items again in the same order under the same request ids. One background task talks; callers come from any thread.
using System.Threading.Channels;
using Grpc.Core;

namespace OrderEngine.Client;

/// <summary>
/// Sends many changes over one stream without waiting for each. Await every SubmitAsync before the next to keep your order; it waits
/// while the window is full. Safe to use from several threads.
/// </summary>
/// <typeparam name="TItem">A request with its request id.</typeparam>
/// <typeparam name="TRequest">The message that carries many of them.</typeparam>
/// <typeparam name="TResponse">The message that carries many answers.</typeparam>
/// <typeparam name="TAnswer">The answer to one accepted item.</typeparam>
public abstract class Pipeline<TItem, TRequest, TResponse, TAnswer> : IAsyncDisposable
    where TItem : class
    where TRequest : class
    where TResponse : class
    where TAnswer : class
{
    private readonly PipelineOptions _options;
    private readonly Backoff _backoff;
    private readonly SemaphoreSlim _window;
    private readonly CancellationTokenSource _abort = new();
    private readonly Task _conversation;

    // An auto-reset signal: something to send, or the end to be announced.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Entry> _unanswered = [];
    private Queue<Entry> _unsent = new();
    private ulong _lastSeq;
    private bool _closing;
    private OrderEngineException? _failure;

    private protected Pipeline(PipelineOptions options, RetrySettings retry, TimeProvider time, Jitter jitter)
    {
        options.Validate();
        _options = options;
        _backoff = new Backoff(retry, time, jitter);
        _window = new SemaphoreSlim(options.Window, options.Window);
        _conversation = Task.Run(RunAsync);
    }

    /// <summary>How many items have no answer yet.</summary>
    public int Unanswered
    {
        get
        {
            lock (_gate)
                return _unanswered.Count;
        }
    }

    /// <summary>How often the stream was opened again after a break.</summary>
    public int Reconnects { get; private set; }

    /// <summary>Told on the conversation's own task when the stream broke and will be opened again; must return quickly.</summary>
    public Action<OrderEngineError>? OnBreak { get; set; }

    /// <summary>
    /// Queues one item. The outer task completes when there is room for it, the inner one with its answer. The inner task fails with
    /// <see cref="OrderEngineException"/> when the engine cannot be reached within the retry budget: send it again later with the same id.
    /// An item that is larger than a message may be is refused here (MESSAGE_TOO_LARGE), without room and without being sent.
    /// </summary>
    private protected async ValueTask<Task<Outcome<TAnswer>>> EnqueueAsync(string requestId, TItem item, CancellationToken cancellationToken)
    {
        // Sent, it would end the stream and with it its neighbours.
        var size = SizeOf(item) + PipelineOptions.BytesAroundItem;
        if (size > PipelineOptions.MostBytesPerMessage)
            return Task.FromResult(Outcome<TAnswer>.Refuse(requestId, OrderEngineError.TooLarge(size, PipelineOptions.MostBytesPerMessage)));

        await _window.WaitAsync(cancellationToken).ConfigureAwait(false);
        Entry entry;
        lock (_gate)
        {
            if (_failure is not null || _closing)
            {
                _window.Release();
                ObjectDisposedException.ThrowIf(_failure is null, this);
                throw new OrderEngineException(_failure.Error, _failure.Trailers, _failure);
            }

            entry = new Entry(++_lastSeq, requestId, item, size);
            _unanswered.Add(entry.Seq, entry);
            _unsent.Enqueue(entry);
        }

        _wake.Writer.TryWrite(true);
        return entry.Completion.Task;
    }

    /// <summary>Waits for all answers that are due, then closes the stream. Does not throw: each item's task says what became of it.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
            _closing = true;
        _wake.Writer.TryWrite(true);
        await _conversation.ConfigureAwait(false);
        _abort.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends at once: what is unanswered fails with CANCELLED, its outcome unknown.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            if (_closing && _unanswered.Count == 0)
                return;
        }

        _abort.Cancel();
    }

    private protected abstract AsyncDuplexStreamingCall<TRequest, TResponse> Open(CancellationToken cancellationToken);

    private protected abstract TRequest Pack(List<Entry> entries);

    private protected abstract void Unpack(TResponse response, List<Answer> answers);

    private protected abstract int SizeOf(TItem item);

    private async Task RunAsync()
    {
        try
        {
            while (await WaitForWorkAsync().ConfigureAwait(false))
            {
                var failure = await ConverseAsync().ConfigureAwait(false);
                if (failure is null || Unanswered == 0)
                    continue;
                if (!failure.Retryable || !await _backoff.WaitAsync(failure.RetryDelay, _abort.Token).ConfigureAwait(false))
                {
                    Fail(new OrderEngineException(failure));
                    return;
                }

                Reconnects++;
                OnBreak?.Invoke(failure);
            }
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
            Fail(OrderEngineException.From(new RpcException(new Status(StatusCode.Cancelled, "The pipeline was aborted."))));
        }
#pragma warning disable CA1031 // a defect here must reach those who wait for answers, or they wait for ever
        catch (Exception defect)
        {
            Fail(OrderEngineException.From(new RpcException(new Status(StatusCode.Internal, defect.Message, defect))));
        }
#pragma warning restore CA1031
    }

    private async Task<bool> WaitForWorkAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_unanswered.Count > 0)
                    return true;
                if (_closing)
                    return false;
            }

            await _wake.Reader.ReadAsync(_abort.Token).ConfigureAwait(false);
        }
    }

    // One stream from its opening to its end. Null: all that was sent has been answered.
    private async Task<OrderEngineError?> ConverseAsync()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        using var call = Open(stop.Token);
        lock (_gate)
            _unsent = new Queue<Entry>(_unanswered.Values.OrderBy(entry => entry.Seq));

        var writing = WriteAsync(call.RequestStream, stop);
        OrderEngineError? failure = null;
        try
        {
            var answers = new List<Answer>();
            while (failure is null && await call.ResponseStream.MoveNext(stop.Token).ConfigureAwait(false))
            {
                answers.Clear();
                Unpack(call.ResponseStream.Current, answers);
                failure = Take(answers);
            }

            if (failure is null && Unanswered > 0)
                failure = OrderEngineError.Unavailable("The engine closed the stream before it had answered everything.");
        }
        catch (RpcException broken)
        {
            failure = OrderEngineError.OfStream(broken).Error;
        }

        await stop.CancelAsync().ConfigureAwait(false);
        await writing.ConfigureAwait(false);
        _abort.Token.ThrowIfCancellationRequested();
        return failure;
    }

    private async Task WriteAsync(IClientStreamWriter<TRequest> stream, CancellationTokenSource stop)
    {
        try
        {
            var batch = new List<Entry>(_options.ItemsPerMessage);
            while (true)
            {
                if (TakeBatch(batch))
                {
                    await stream.WriteAsync(Pack(batch)).ConfigureAwait(false);
                }
                else if (AllIsSaid())
                {
                    await stream.CompleteAsync().ConfigureAwait(false);
                    return;
                }
                else
                {
                    await _wake.Reader.ReadAsync(stop.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException or IOException or OperationCanceledException)
        {
            // The stream is over; the reading side gets its status and decides what follows. The wake-up that may have been taken
            // here is not lost: whoever reads the queue next looks into it before waiting.
            _ = over;
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private bool TakeBatch(List<Entry> batch)
    {
        batch.Clear();
        lock (_gate)
        {
            var bytes = 0;
            while (batch.Count < _options.ItemsPerMessage && _unsent.TryPeek(out var next))
            {
                if (batch.Count > 0 && bytes + next.Size > _options.BytesPerMessage)
                    break;
                bytes += next.Size;
                batch.Add(_unsent.Dequeue());
            }
        }

        return batch.Count > 0;
    }

    private bool AllIsSaid()
    {
        lock (_gate)
            return _closing && _unanswered.Count == 0;
    }

    // An item that may be tried again keeps its place: the stream is opened anew and resends from the first unanswered one on.
    private OrderEngineError? Take(List<Answer> answers)
    {
        foreach (var answer in answers)
        {
            var refused = answer.Refused is null ? null : OrderEngineError.From(answer.Refused);
            if (refused is { Retryable: true })
                return refused;
            Entry? entry;
            bool last;
            lock (_gate)
            {
                if (!_unanswered.Remove(answer.Seq, out entry))
                    return OrderEngineError.Unavailable($"The engine answered client_seq {answer.Seq}, which is not waiting for an answer.");
                last = _closing && _unanswered.Count == 0;
            }

            _backoff.Reset();
            entry.Completion.SetResult(refused is null
                ? Outcome<TAnswer>.Accept(entry.RequestId, answer.Accepted!)
                : Outcome<TAnswer>.Refuse(entry.RequestId, refused));
            _window.Release();
            if (last)
                _wake.Writer.TryWrite(true);
        }

        return null;
    }

    private void Fail(OrderEngineException failure)
    {
        Entry[] lost;
        lock (_gate)
        {
            _failure = failure;
            lost = [.. _unanswered.Values.OrderBy(entry => entry.Seq)];
            _unanswered.Clear();
            _unsent.Clear();
        }

        foreach (var entry in lost)
        {
            entry.Completion.SetException(new OrderEngineException(failure.Error, failure.Trailers, failure));
            // A caller who only looks at the first failure must not be told of the others as unobserved.
            _ = entry.Completion.Task.Exception;
            _window.Release();
        }
    }

    internal sealed class Entry(ulong seq, string requestId, TItem item, int size)
    {
        public ulong Seq { get; } = seq;

        public string RequestId { get; } = requestId;

        public TItem Item { get; } = item;

        /// <summary>Bytes in a message.</summary>
        public int Size { get; } = size;

        public TaskCompletionSource<Outcome<TAnswer>> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal readonly record struct Answer(ulong Seq, TAnswer? Accepted, Google.Rpc.Status? Refused);
}
