// Putting back promised dates, supply requests and what was added to orders that wait. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private readonly List<PromiseRow> _promised = [];
    private readonly List<AddedRow> _addedRows = [];
    private long _promises, _supplyRequests, _added;

    private void ReadPromises(ReadOnlySpan<byte> record)
    {
        long order = 0, version = 0;
        _promised.Clear();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: _promised.Add(ReadPromise(reader.Bytes())); break;
                default: throw Unknown(field, "row of promises");
            }
        }
        Within(order, _state.Orders.Count, "order");
        var view = _state.Order(order);
        if (!view.Exists) throw Wrong($"Order {order} has promised dates and is not there.");
        foreach (var promise in _promised) Within(promise.Line, view.Lines.Length, "line");
        _state.Promises.Restore(order, CollectionsMarshal.AsSpan(_promised), view.Lines, version);
        _promises++;
    }

    private PromiseRow ReadPromise(ReadOnlySpan<byte> record)
    {
        var promise = new PromiseRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            if (field == 1) promise.Line = reader.Int();
            else if (field == 2) promise.PromisedAt = reader.Long();
            else throw Unknown(field, "promise");
        }
        return promise;
    }

    private void ReadAddedUnits(ReadOnlySpan<byte> record)
    {
        long order = 0, version = 0;
        _addedRows.Clear();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: _addedRows.Add(ReadAddedRow(reader.Bytes())); break;
                default: throw Unknown(field, "row of added units");
            }
        }
        Within(order, _state.Orders.Count, "order");
        var view = _state.Order(order);
        if (!view.Exists) throw Wrong($"Units were added to order {order}, which is not there.");
        foreach (var added in _addedRows)
        {
            Within(added.Line, view.Lines.Length, "line");
            var line = view.Lines[added.Line - 1];
            if (added.Units < 1 || added.Units > line.Backordered) throw Wrong($"{added.Units} units added to line {added.Line} of order {order} wait, of {line.Backordered}.");
            // The order's row put all of them at the order's place.
            _state.Queues.Set(line.Sku, BackorderKey.Of(in view.Head, order, added.Line), line.Backordered - added.Units, view.Head.IsFilledWhole);
            _state.Queues.Set(line.Sku, BackorderKey.Of(in view.Head, order, in added), added.Units, view.Head.IsFilledWhole);
        }
        _state.AddedUnits.Rows.Restore(order, version, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_addedRows)));
        _added++;
    }

    private AddedRow ReadAddedRow(ReadOnlySpan<byte> record)
    {
        var added = new AddedRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: added.Line = reader.Int(); break;
                case 2: added.Units = reader.Int(); break;
                case 3: added.AddedAt = reader.Long(); break;
                case 4: added.Sequence = Version(reader.Long()); break;
                default: throw Unknown(field, "added units");
            }
        }
        return added;
    }

    private void ReadSupplyRequest(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var row = new SupplyRequestRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: row.Version = Version(reader.Long()); break;
                case 3: row.Sku = reader.Int(); break;
                case 4: row.Location = reader.Int(); break;
                case 5: row.Kind = (SupplyKind)checked((byte)reader.Varint()); break;
                case 6: row.From = reader.Int(); break;
                case 7: row.Quantity = reader.Long(); break;
                case 8: row.NeededBy = reader.Long(); break;
                case 9: row.Announced = reader.Long(); break;
                case 10: row.LastIncoming = reader.Long(); break;
                case 11: row.RaisedAt = reader.Long(); break;
                default: throw Unknown(field, "supply request");
            }
        }
        Follows(number, _state.SupplyRequests.Rows.Count, "Supply request");
        Within(row.Sku, _state.Catalog.SkuIds.Count, "SKU");
        Within(row.Location, _state.Catalog.LocationIds.Count, "location", orNone: true);
        Within(row.From, _state.Catalog.LocationIds.Count, "location", orNone: true);
        _state.SupplyRequests.Restore(number, in row);
        _supplyRequests++;
    }
}
