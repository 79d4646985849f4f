// The newest committed batches, for whoever follows. The publisher adds and never waits: old batches fall out behind.
// Subscribers refer to batches by number, so what they have not read pins nothing beyond this window.

namespace OrderEngine.Engine;

/// <param name="Number">1, 2, ... in the order of commits.</param>
/// <param name="FirstSequence">Of its first event.</param>
/// <param name="LastSequence">Of its last event.</param>
/// <param name="Payload">The encoded events.</param>
/// <param name="TouchedStock">Stock slots that changed.</param>
internal sealed record FeedBatch(long Number, long FirstSequence, long LastSequence, byte[] Payload, long[] TouchedStock);

internal sealed class FeedWindow(int maxBatches, long maxBytes)
{
    private readonly FeedBatch?[] _slots = new FeedBatch?[maxBatches];
    private readonly AsyncSignal _added = new();
    private long _first = 1;
    private long _last;
    private long _bytes;

    /// <summary>Number of the oldest batch that is kept. Any thread.</summary>
    public long First => Volatile.Read(ref _first);

    /// <summary>Number of the newest batch; 0 before the first. Any thread.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>True: batches fall out, and this one stands among the older half of those that are left. Any thread.</summary>
    public bool IsLeaving(long number) => First is > 1 and var first && number < first + (Last - first) / 2;

    /// <summary>Completes when something was added since the last time. The dispatcher alone waits.</summary>
    public Task WaitAsync() => _added.WaitAsync();

    /// <summary>Lets the dispatcher look around.</summary>
    public void Wake() => _added.Set();

    /// <summary>Adds a committed batch. Publisher only; the batch is visible in the read view already.</summary>
    public void Add(long firstSequence, long lastSequence, byte[] payload, long[] touchedStock)
    {
        while (_first <= _last && (_last - _first + 1 >= _slots.Length || _bytes + payload.Length > maxBytes)) Drop();
        var number = _last + 1;
        Volatile.Write(ref _slots[number % _slots.Length], new FeedBatch(number, firstSequence, lastSequence, payload, touchedStock));
        _bytes += payload.Length;
        Volatile.Write(ref _last, number);
        _added.Set();
    }

    /// <summary>A batch by number; null when it has fallen out or is not there yet. Any thread.</summary>
    public FeedBatch? Get(long number)
    {
        var batch = Volatile.Read(ref _slots[number % _slots.Length]);
        return batch?.Number == number ? batch : null;
    }

    /// <summary>The batch that holds a sequence; null when it has fallen out or is not there yet. Any thread.</summary>
    public FeedBatch? Find(long sequence)
    {
        long low = First, high = Last;
        while (low <= high)
        {
            var middle = low + (high - low) / 2;
            var batch = Get(middle);
            // Fallen out while we looked: the window now begins behind it.
            if (batch is null || sequence > batch.LastSequence) low = middle + 1;
            else if (sequence < batch.FirstSequence) high = middle - 1;
            else return batch;
        }
        return null;
    }

    private void Drop()
    {
        ref var slot = ref _slots[_first % _slots.Length];
        _bytes -= slot!.Payload.Length;
        Volatile.Write(ref _first, _first + 1);
        Volatile.Write(ref slot, null);
    }
}
