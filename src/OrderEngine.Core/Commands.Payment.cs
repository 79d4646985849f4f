// What the core can be asked about review and money. Same rules as Commands.cs: resolved, bounded, not changed once handed over.

namespace OrderEngine.Core;

/// <summary>What a review rule looks at. Numbers equal proto/orderengine/v1 and the journal.</summary>
public enum ReviewCondition : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>The order is worth more than <see cref="ReviewRule.Amount"/>.</summary>
    OrderValue = 1,
    /// <summary>With this order the customer would owe more than the credit limit.</summary>
    CreditExposure = 2,
    /// <summary>The customer's risk rating is <see cref="ReviewRule.Threshold"/> or worse.</summary>
    RiskRating = 3,
    /// <summary>The customer has fewer than <see cref="ReviewRule.Threshold"/> orders, or is a guest.</summary>
    NewCustomer = 4,
    /// <summary>The order has one of <see cref="ReviewRule.Terms"/>.</summary>
    PaymentTerms = 5,
    /// <summary>The delivery's note holds one of <see cref="ReviewRule.Keywords"/>; looked at where the note is still plain text.</summary>
    NoteKeyword = 6,
}

/// <summary>A rule that holds orders for a reviewer.</summary>
public sealed record ReviewRule(byte[] Id, ReviewCondition Condition)
{
    /// <summary>Numbers of the channels that it is for, in ascending order; empty: all.</summary>
    public int[] Channels { get; init; } = [];
    /// <summary>Minor units of <see cref="CurrencyCode"/>; an order in another currency is not compared.</summary>
    public long Amount { get; init; }
    /// <summary>Packed currency of <see cref="Amount"/>.</summary>
    public int CurrencyCode { get; init; }
    /// <summary>Rating or number of orders.</summary>
    public int Threshold { get; init; }
    /// <summary>Terms that it asks about.</summary>
    public PaymentTerms[] Terms { get; init; } = [];
    /// <summary>Texts that a note may hold, whatever their case.</summary>
    public string[] Keywords { get; init; } = [];

    /// <summary>True when it looks at orders of the channel.</summary>
    public bool Covers(int channel) => Channels.Length == 0 || Array.BinarySearch(Channels, channel) >= 0;
}

/// <summary>Replaces all review rules.</summary>
public sealed class SetReviewRules() : Command(CommandKind.SetReviewRules)
{
    /// <summary>At most <see cref="Limits.ReviewRules"/>, each id once.</summary>
    public required ReviewRule[] Rules { get; init; }
}

/// <summary>Lets an order go on that waits for review.</summary>
public sealed class ApproveOrder() : Command(CommandKind.ApproveOrder)
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
}

/// <summary>Refuses an order that waits for review: all of it is cancelled.</summary>
public sealed class RejectOrder() : Command(CommandKind.RejectOrder)
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
}
