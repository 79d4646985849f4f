// One StreamSubmitOrders call that many runs share: messages go out one after another, results come back in the order sent.

using System.Threading.Channels;
using Grpc.Core;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>One stream. A writer task numbers and sends, a reader task matches results; a broken stream fails what was on it.</summary>
internal sealed class OrderStream : IAsyncDisposable
{
    private readonly RunContext _run;
    private readonly AsyncDuplexStreamingCall<StreamedBatch, StreamedResults> _call;
    private readonly Channel<StreamedBatch> _toSend = System.Threading.Channels.Channel.CreateUnbounded<StreamedBatch>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Queue<StreamedBatch> _onTheWay = new();
    private readonly Task _writer;
    private readonly Task _reader;
    private ulong _sent;
    private ulong _received;
    private string? _broken;

    public OrderStream(RunContext run, EngineConnection connection)
    {
        _run = run;
        _call = connection.Invoker.AsyncDuplexStreamingCall(StreamedResults.Method, null, default);
        _writer = Task.Run(WriteAsync);
        _reader = Task.Run(ReadAsync);
    }

    public bool IsBroken => Volatile.Read(ref _broken) is not null;

    /// <summary>Sends the batch when its turn comes; its completion tells when all its results are there.</summary>
    public void Send(StreamedBatch batch)
    {
        if (!_toSend.Writer.TryWrite(batch)) batch.Fail(_broken ?? "STREAM_CLOSED");
    }

    public async ValueTask DisposeAsync()
    {
        _toSend.Writer.TryComplete();
        await _writer;
        await _reader;
        _call.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            var more = new WriteOptions(WriteFlags.BufferHint);
            await foreach (var batch in _toSend.Reader.ReadAllAsync())
            {
                batch.Write(_run.Workload, _sent + 1);
                _sent += (ulong)batch.Count;
                lock (_onTheWay)
                {
                    if (_broken is not null)
                    {
                        batch.Fail(_broken);
                        continue;
                    }
                    _onTheWay.Enqueue(batch);
                }
                // Messages that are ready together go out in one write.
                _call.RequestStream.WriteOptions = _toSend.Reader.TryPeek(out _) ? more : null;
                await _call.RequestStream.WriteAsync(batch);
            }
            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or OperationCanceledException)
        {
            Break(Outcomes.FromException(exception).Status);
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var message in _call.ResponseStream.ReadAllAsync())
            {
                foreach (var result in message.Results) Take(result);
            }
            Break("STREAM_ENDED");
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or OperationCanceledException)
        {
            Break(Outcomes.FromException(exception).Status);
        }
    }

    private void Take(in StreamedResult result)
    {
        StreamedBatch? batch;
        lock (_onTheWay) _onTheWay.TryPeek(out batch);
        if (batch is null || result.ClientSeq != ++_received) throw new InvalidOperationException("RESULT_OUT_OF_ORDER");
        batch.Response = batch.Response.And(Book(batch.FirstIndex + batch.Answered, result));
        if (++batch.Answered < batch.Count) return;
        lock (_onTheWay) _onTheWay.Dequeue();
        batch.Completion.TrySetResult();
    }

    private Response Book(long index, in StreamedResult result)
    {
        if (result.Other is { } other) return SubmitBulkScenario.Book(_run.Ledger, index, other);
        _run.Ledger.Acknowledge(index, result.OrderPrint);
        return Response.Ok();
    }

    private void Break(string status)
    {
        _toSend.Writer.TryComplete();
        lock (_onTheWay)
        {
            _broken ??= status;
            while (_onTheWay.TryDequeue(out var batch)) batch.Fail(status);
        }
        while (_toSend.Reader.TryRead(out var batch)) batch.Fail(status);
    }
}
