// Owns the credit notes of a retail file: which earlier order each of their rows gives units back of, and the returns that come of it. The order
// is released, shipped and delivered first, as far as it is not. Every step has a request id made from the file, and a return bears the number
// of its credit note, so a repeat changes nothing. Matching is one thread's; orders are worked on side by side.
using System.Text;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal sealed class CreditNotes(Session session, RetailFile file, string locationId, Func<string, string> requestId)
{
    /// <summary>Why a row is rejected that gives back what no order has.</summary>
    public const string Unmatched = "credit note without an earlier order";

    private const int OrdersAtOnce = 16;
    private const int LargestId = 64;

    private readonly Dictionary<string, SortedDictionary<string, Note>> _notesOfOrder = new(StringComparer.Ordinal);
    private readonly Dictionary<long, string> _refused = [];
    private readonly HashSet<long> _returned = [];
    private bool _matched;

    /// <summary>Rows whose units went back, now or in an earlier import.</summary>
    public int RowsReturned => _returned.Count;

    /// <summary>Why a rejected row is: what the file says, or what became of the credit note; null: it was returned.</summary>
    public string? Rejection(in RetailRow row) => row.Rejection switch
    {
        not RetailFile.CreditNote => row.Rejection,
        _ when !_matched => row.Rejection,
        _ when _returned.Contains(row.Number) => null,
        _ => _refused.GetValueOrDefault(row.Number, Unmatched),
    };

    /// <summary>Finds for each row of a credit note the customer's newest earlier order that has as many units of the SKU left, and returns them.</summary>
    /// <param name="placed">The engine's id of each invoice that is an order.</param>
    /// <param name="wanted">Customers and SKUs that credit notes name.</param>
    /// <param name="cancellationToken">Stops; a repeat goes on.</param>
    public async Task RunAsync(IReadOnlyDictionary<string, string> placed, IReadOnlySet<(string Customer, string Sku)> wanted, CancellationToken cancellationToken)
    {
        _matched = true;
        Match(placed, wanted);
        var progress = new ProgressLine(session.Terminal, "returns", _notesOfOrder.Count);
        var gate = new Lock();
        var done = 0L;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = OrdersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(_notesOfOrder, parallel, async (order, stop) =>
        {
            var outcomes = await ReturnAsync(placed[order.Key], order.Key, order.Value.Values, stop);
            lock (gate)
            {
                foreach (var (note, refusal) in outcomes)
                {
                    foreach (var row in note.Rows)
                    {
                        if (refusal is null)
                            _returned.Add(row);
                        else
                            _refused[row] = $"credit note refused: {refusal}";
                    }
                }

                progress.Report(++done);
            }
        });
        if (_notesOfOrder.Count > 0)
            progress.Done(done);
    }

    private void Match(IReadOnlyDictionary<string, string> placed, IReadOnlySet<(string Customer, string Sku)> wanted)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var sold = new Dictionary<(string Customer, string Sku), List<SoldUnits>>();
        foreach (var row in file.Rows())
        {
            var key = (row.Customer, row.Sku);
            if (row.Rejection is null)
            {
                var line = lines[row.Invoice] = lines.GetValueOrDefault(row.Invoice) + 1;
                if (!wanted.Contains(key) || !placed.ContainsKey(row.Invoice))
                    continue;
                if (!sold.TryGetValue(key, out var orders))
                    sold.Add(key, orders = []);
                if (orders.Find(order => order.Invoice == row.Invoice) is not { } units)
                    orders.Add(units = new SoldUnits(row.Invoice));
                units.Lines.Add((line, row.Quantity));
            }
            else if (row.Rejection == RetailFile.CreditNote && row.Quantity < 0 && row.Customer.Length > 0 && IsId(row.Invoice) && sold.TryGetValue(key, out var orders)
                && orders.FindLast(order => order.Left >= -(long)row.Quantity) is { } units)
            {
                Take(units, row);
            }
        }
    }

    private void Take(SoldUnits units, in RetailRow row)
    {
        if (!_notesOfOrder.TryGetValue(units.Invoice, out var notes))
            _notesOfOrder.Add(units.Invoice, notes = new SortedDictionary<string, Note>(StringComparer.Ordinal));
        if (!notes.TryGetValue(row.Invoice, out var note))
            notes.Add(row.Invoice, note = new Note(row.Invoice));
        note.Rows.Add(row.Number);
        var back = -row.Quantity;
        for (var i = 0; i < units.Lines.Count && back > 0; i++)
        {
            var (line, left) = units.Lines[i];
            var quantity = Math.Min(left, back);
            if (quantity == 0)
                continue;
            units.Lines[i] = (line, left - quantity);
            note.Lines[line] = note.Lines.GetValueOrDefault(line) + quantity;
            back -= quantity;
        }
    }

    private async Task<List<(Note Note, string? Refusal)>> ReturnAsync(string orderId, string invoice, IEnumerable<Note> notes, CancellationToken stop)
    {
        var outcomes = new List<(Note, string?)>();
        string? undelivered = null;
        try
        {
            await DeliverAsync(orderId, invoice, stop);
        }
        catch (OrderEngineException refused) when (IsAnswer(refused))
        {
            undelivered = refused.Error.ReasonName;
        }

        foreach (var note in notes)
        {
            var refusal = undelivered;
            try
            {
                if (refusal is null)
                    await ReturnAsync(orderId, invoice, note, stop);
            }
            catch (OrderEngineException refused) when (IsAnswer(refused))
            {
                refusal = refused.Error.ReasonName;
            }

            outcomes.Add((note, refusal));
        }

        return outcomes;
    }

    // What is not yet with the customer goes there.
    private async Task DeliverAsync(string orderId, string invoice, CancellationToken stop)
    {
        var order = await session.Client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = orderId }, cancellationToken: stop);
        string Id(string step) => requestId($"{step}/{invoice}");
        var fulfillment = session.Client.Fulfillment;
        var reserved = order.Lines.Any(line => line.Reserved > 0);
        var released = reserved || order.Lines.Any(line => line.Released > 0);
        if (reserved)
            await fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Id("release"), OrderId = orderId }, cancellationToken: stop);
        if (released)
            await fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Id("ship"), OrderId = orderId }, cancellationToken: stop);
        if (released || order.Lines.Any(line => line.Shipped > line.Delivered + line.Lost))
            await fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Id("deliver"), OrderId = orderId }, cancellationToken: stop);
    }

    private async Task ReturnAsync(string orderId, string invoice, Note note, CancellationToken stop)
    {
        string Id(string step) => requestId($"{step}/{note.Number}/{invoice}");
        var returns = session.Client.Returns;
        var made = await RequestAsync(orderId, note, Id("return"), stop);
        if (made.State == ReturnState.Requested)
            made = await returns.ApproveReturnAsync(new ApproveReturnRequest { RequestId = Id("approve"), ReturnId = made.ReturnId }, cancellationToken: stop);
        if (made.State is ReturnState.Approved or ReturnState.InTransit)
        {
            var receipt = new ReceiveReturnRequest { RequestId = Id("receive"), ReturnId = made.ReturnId, LocationId = locationId };
            foreach (var line in made.Lines)
                receipt.Units.Add(new ReceivedUnits { LineNumber = line.LineNumber, Quantity = line.Requested, Disposition = Disposition.Restock });
            made = await returns.ReceiveReturnAsync(receipt, cancellationToken: stop);
        }

        if (made.State == ReturnState.Received)
            await returns.CloseReturnAsync(new CloseReturnRequest { RequestId = Id("close"), ReturnId = made.ReturnId }, cancellationToken: stop);
    }

    // A return that is there already, of an earlier import, goes on from where it stands.
    private async Task<Return> RequestAsync(string orderId, Note note, string id, CancellationToken stop)
    {
        var returns = session.Client.Returns;
        var request = new RequestReturnRequest { RequestId = id, OrderId = orderId, ExternalReturnId = note.Number, Reason = "CREDIT_NOTE" };
        foreach (var (line, quantity) in note.Lines)
            request.Lines.Add(new LineQuantity { LineNumber = line, Quantity = quantity });
        string present;
        try
        {
            var made = await returns.RequestReturnAsync(request, cancellationToken: stop);
            if (!made.Replayed)
                return made;
            present = made.ReturnId;
        }
        catch (OrderEngineException taken) when (taken.Error.Reason == ErrorReason.ReturnIdTaken)
        {
            present = taken.Error.Metadata["return_id"];
        }

        return await returns.GetReturnAsync(new GetReturnRequest { ReturnId = present }, cancellationToken: stop);
    }

    // Refused for what the order or the return is; anything else ends the import.
    private static bool IsAnswer(OrderEngineException refused) => refused.StatusCode is StatusCode.FailedPrecondition or StatusCode.NotFound or StatusCode.AlreadyExists;

    private static bool IsId(string text) => Encoding.UTF8.GetByteCount(text) <= LargestId && !text.Any(char.IsControl) && !text.Contains('\uFFFD', StringComparison.Ordinal);

    /// <summary>Units of a SKU in an order, by line, that are not given back yet.</summary>
    private sealed class SoldUnits(string invoice)
    {
        public string Invoice { get; } = invoice;

        public List<(int Line, int Left)> Lines { get; } = [];

        public long Left => Lines.Sum(line => (long)line.Left);
    }

    /// <summary>What one credit note gives back of one order.</summary>
    private sealed class Note(string number)
    {
        public string Number { get; } = number;

        public List<long> Rows { get; } = [];

        public SortedDictionary<int, int> Lines { get; } = [];
    }
}
