// Owns the file of refused orders of an import: an order a line, with the engine's reason. One thread.
using CsvHelper;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal sealed class RefusedOrders : IDisposable
{
    private readonly OutputFile _file;
    private readonly CsvWriter _csv;

    public RefusedOrders(string path)
    {
        Path = path;
        _file = OutputFile.Open(path, "--refused");
        _csv = CsvWriter.Create(_file.Writer, CsvWriterOptions.Default, leaveOpen: true);
        Row("InvoiceNo", "Country", "Reason", "Message", "Before");
    }

    public string Path { get; }

    /// <summary>Orders written.</summary>
    public long Count { get; private set; }

    /// <summary>Adds an order. One that an earlier import was refused for is there too, with yes under Before: it is still not placed.</summary>
    public void Write(OrderDraft order, OrderEngineError refusal)
    {
        Count++;
        Row(order.ExternalOrderId, order.ChannelId, refusal.ReasonName, refusal.Message, refusal.Replayed ? "yes" : "no");
    }

    /// <summary>All orders are answered: the file gets its name.</summary>
    public void Complete()
    {
        _csv.Dispose();
        _file.Complete();
    }

    public void Dispose()
    {
        _csv.Dispose();
        _file.Dispose();
    }

    private void Row(params string[] fields)
    {
        foreach (var field in fields)
            _csv.WriteField(field);
        _csv.EndRecord();
    }
}
