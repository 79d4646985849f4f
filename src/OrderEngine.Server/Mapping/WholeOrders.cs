// Orders with all that was said about them, for clients: rows and history under a read guard of its own, personal data unsealed outside of it. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's orders, personal data included.</summary>
internal static class WholeOrders
{
    /// <summary>One order at the durable sequence; null when there is none.</summary>
    /// <param name="reader">The state, or that of an order that is pinned.</param>
    /// <param name="vault">Unseals.</param>
    /// <param name="view">Knows the durable sequence.</param>
    /// <param name="number">The order.</param>
    /// <param name="withPersonalData">Unseal what can be.</param>
    public static Order? Read(StateReader reader, PersonalVault vault, ReadView view, long number, bool withPersonalData)
    {
        SealedData delivery = default, requests = default, feedback = default;
        List<(long, SealedData)> notes = [];
        Order? order;
        using (reader.Enter())
        {
            var at = view.DurableSequence;
            order = OrderReads.Read(reader, number, at);
            if (order is not null && withPersonalData)
            {
                delivery = OrderReads.SealedDelivery(reader, number, at, out _);
                (requests, notes) = CareReads.SealedTexts(reader, order, number);
                feedback = ComplaintReads.SealedFeedback(reader, number, at);
            }
        }
        if (order is not null && delivery.Key != 0) order.Delivery = vault.Unseal(delivery);
        if (order is not null) CareReads.AddTexts(vault, order, requests, notes);
        if (order?.Care is { } care) care.FeedbackText = ComplaintReads.Text(vault, feedback);
        return order;
    }

    /// <summary>Adds to an event what was said, or to where it was sent. Inside a guard that the caller holds.</summary>
    public static void AddPersonalData(OrderEvent happened, EventView e, StateReader reader, PersonalVault vault, long number)
    {
        if (ComplaintReads.AddText(vault, happened, e)) return;
        if (happened.Amended is not { } amended || !amended.ChangedFields.Any(Amendment.IsPersonal)) return;
        amended.DeliveryBefore = vault.Unseal(OrderReads.NewestDelivery(reader, number, happened.Sequence - 1, out _));
        amended.Delivery = vault.Unseal(OrderReads.NewestDelivery(reader, number, happened.Sequence, out _));
    }
}
