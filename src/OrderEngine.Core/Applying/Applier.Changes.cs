// Applying what those changed who look after accepted orders: holds.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void HoldsChanged(in EventView e)
    {
        ReadNumbers(e.Body, out _, out var open);
        var order = Change(in e, 0);
        order.Head.Holds = (OrderHolds)checked((byte)open);
    }
}
