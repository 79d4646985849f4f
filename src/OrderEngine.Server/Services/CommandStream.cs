// A bidirectional stream of commands: one loop reads, maps and queues in order, the other writes the answers in the same order and packs
// into one message whatever is final. A bounded number is in between; when it is reached the stream is not read on, so HTTP/2 slows the sender.

using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Traces;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Services;

/// <summary>One stream's two loops. One object a call.</summary>
/// <typeparam name="TRequest">A message of the client.</typeparam>
/// <typeparam name="TItem">One command in it.</typeparam>
/// <typeparam name="TResponse">A message of the server.</typeparam>
internal abstract class CommandStream<TRequest, TItem, TResponse>(EngineCalls calls)
    where TRequest : class
    where TResponse : class, new()
{
    /// <summary>A command in its place between the loops: queued, or refused before it got there.</summary>
    private readonly record struct Slot(ulong ClientSeq, Command? Command, PendingAnswer Answer, RpcStatus? Refusal)
    {
        public bool IsFinal => Refusal is not null || Answer.IsCompleted;
    }

    private readonly Channel<Slot> _slots = System.Threading.Channels.Channel.CreateBounded<Slot>(
        new BoundedChannelOptions(ServerLimits.StreamInFlight) { SingleReader = true, SingleWriter = true });

    private ulong _lastSeq;
    private bool _any;
    private Lane _lane;

    // The message that is traced, one at a time, until its first command has been answered.
    private TracedMessage? _traced;

    private sealed record TracedMessage(CallTrace Trace, ulong FirstSeq);

    /// <summary>The list's name in the request, for violations.</summary>
    protected abstract string ItemsPath { get; }

    /// <summary>The commands of a message; good until the next message's are asked for.</summary>
    protected abstract IReadOnlyList<TItem> ItemsOf(TRequest request);

    /// <summary>All commands of a message were mapped: it is not looked at again.</summary>
    protected virtual void WereTaken(TRequest request)
    {
    }

    /// <summary>The client's number of an item.</summary>
    protected abstract ulong ClientSeqOf(TItem item);

    /// <summary>The lane of the whole stream, by its first item.</summary>
    protected abstract Lane LaneOf(TItem first);

    /// <summary>The item as a command.</summary>
    protected abstract ValueTask<Mapped<Command>> MapAsync(TItem item);

    /// <summary>Adds what an item came to; returns its bytes.</summary>
    protected abstract int AddAccepted(TResponse response, ulong clientSeq, in CommandAnswer answer);

    /// <summary>Adds why an item was refused; returns its bytes.</summary>
    protected abstract int AddRefused(TResponse response, ulong clientSeq, RpcStatus refusal);

    /// <summary>Runs the stream to its end.</summary>
    public async Task RunAsync(IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping);
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Abandoning);
        var reading = ReadAsync(requests, context, stop.Token);
        try
        {
            await WriteAsync(responses, abandon.Token);
        }
        catch
        {
            // The client is gone: the reading loop, which may wait for room, has nobody to read for.
            await stop.CancelAsync();
            await reading;
            throw;
        }
        finally
        {
            _traced?.Trace.End(StatusCode.Cancelled);
        }
        // What was taken has been answered; now say why no more is taken, if not because the client is done.
        if (await reading is { } end) ExceptionDispatchInfo.Throw(end);
    }

    /// <returns>Why reading ended; null: the client has sent all.</returns>
    private async Task<Exception?> ReadAsync(IAsyncStreamReader<TRequest> requests, ServerCallContext context, CancellationToken stop)
    {
        try
        {
            while (await NextAsync(requests, stop))
            {
                calls.CheckAllowance();
                var items = ItemsOf(requests.Current);
                if (items.Count is 0 or > ServerLimits.ItemsPerMessage)
                    return Errors.InvalidField(ItemsPath, "must have 1 to 1,000 entries").ToException();
                var trace = BeginTrace(items, context);
                for (var i = 0; i < items.Count; i++)
                {
                    // Room first: once a command is queued it is carried out, so nothing may come between it and its place in the answers.
                    await _slots.Writer.WaitToWriteAsync(stop);
                    stop.ThrowIfCancellationRequested();
                    var slot = await TakeAsync(items[i], context, i == 0 ? trace : null);
                    if (!_slots.Writer.TryWrite(slot)) throw new InvalidOperationException("A slot was taken by another writer.");
                }
                WereTaken(requests.Current);
            }
            return null;
        }
        catch (OperationCanceledException) when (calls.Stopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            return Errors.Exception(ErrorReason.EngineDraining);
        }
        catch (Exception thrown)
        {
            // Handed to the call when the answers before it are written.
            return thrown;
        }
        finally
        {
            _slots.Writer.Complete();
        }
    }

    // A token given to MoveNext resets the stream when it is cancelled, and the client would never see the last answers and the status.
    // So the read is left behind instead; it ends with the call.
    private static async ValueTask<bool> NextAsync(IAsyncStreamReader<TRequest> requests, CancellationToken stop)
    {
        var next = requests.MoveNext(CancellationToken.None);
        if (next.IsCompleted) return await next;
        try
        {
            return await next.WaitAsync(stop);
        }
        catch (OperationCanceledException) when (!next.IsCompleted)
        {
            _ = next.ContinueWith(static left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }

    // Runs through without a state machine as long as nothing has to be waited for.
    private ValueTask<Slot> TakeAsync(TItem item, ServerCallContext context, CallTrace? trace)
    {
        var seq = ClientSeqOf(item);
        if (_any && seq <= _lastSeq)
            return ValueTask.FromResult(new Slot(seq, null, default, Errors.InvalidField("client_seq", "must grow within a stream")));
        if (!_any) _lane = LaneOf(item);
        _any = true;
        _lastSeq = seq;
        var mapping = MapAsync(item);
        if (!mapping.IsCompletedSuccessfully) return MapFirstAsync(seq, mapping, context, trace);
        var mapped = mapping.Result;
        if (mapped.Command is not { } command) return ValueTask.FromResult(new Slot(seq, null, default, mapped.Refusal));
        var queueing = calls.EnqueueAsync(command, _lane, context, trace);
        return queueing.IsCompletedSuccessfully ? ValueTask.FromResult(new Slot(seq, command, queueing.Result, null)) : QueueAsync(seq, command, queueing);
    }

    private async ValueTask<Slot> MapFirstAsync(ulong seq, ValueTask<Mapped<Command>> mapping, ServerCallContext context, CallTrace? trace)
    {
        var mapped = await mapping;
        return mapped.Command is { } command
            ? await QueueAsync(seq, command, calls.EnqueueAsync(command, _lane, context, trace))
            : new Slot(seq, null, default, mapped.Refusal);
    }

    private static async ValueTask<Slot> QueueAsync(ulong seq, Command command, ValueTask<PendingAnswer> queueing) => new(seq, command, await queueing, null);

    private CallTrace? BeginTrace(IReadOnlyList<TItem> items, ServerCallContext context)
    {
        if (calls.Traces is null || Volatile.Read(ref _traced) is not null || calls.Traces.BeginMessage(context, items.Count) is not { } trace) return null;
        Volatile.Write(ref _traced, new TracedMessage(trace, ClientSeqOf(items[0])));
        return trace;
    }

    private async Task WriteAsync(IServerStreamWriter<TResponse> responses, CancellationToken cancellation)
    {
        while (await _slots.Reader.WaitToReadAsync(cancellation))
        {
            var response = new TResponse();
            var bytes = 0;
            var count = 0;
            var last = 0UL;
            while (count < ServerLimits.ItemsPerMessage && bytes < ServerLimits.StreamMessageBytes
                && _slots.Reader.TryPeek(out var next) && (count == 0 || next.IsFinal))
            {
                _slots.Reader.TryRead(out var slot);
                bytes += slot.Refusal is { } refusal ? Decline(response, slot.ClientSeq, refusal) : Add(response, slot, await slot.Answer);
                count++;
                last = slot.ClientSeq;
            }
            // Before the answer is out: the client's next message may be traced again.
            var traced = Volatile.Read(ref _traced) is { } message && last >= message.FirstSeq ? message.Trace : null;
            if (traced is not null) Volatile.Write(ref _traced, null);
            try
            {
                await responses.WriteAsync(response, cancellation);
            }
            finally
            {
                traced?.End(StatusCode.OK);
            }
        }
    }

    private int Decline(TResponse response, ulong clientSeq, RpcStatus refusal)
    {
        calls.Declined(refusal);
        return AddRefused(response, clientSeq, refusal);
    }

    private int Add(TResponse response, in Slot slot, in CommandAnswer answer) => answer.Outcome == Outcome.Ok
        ? AddAccepted(response, slot.ClientSeq, answer)
        : AddRefused(response, slot.ClientSeq, calls.RefusalOf(answer, slot.Command!, ServerLimits.ItemDetailBytes));
}
