// The words of customer care. They equal the numbers of proto/orderengine/v1 and of the journal, and never change.

namespace OrderEngine.Core;

/// <summary>What a complaint is about.</summary>
public enum ComplaintCategory : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>Goods came damaged.</summary>
    Damaged = 1,
    /// <summary>Other goods came.</summary>
    WrongItem = 2,
    /// <summary>Something did not come.</summary>
    MissingItem = 3,
    /// <summary>It came late.</summary>
    Late = 4,
    /// <summary>The goods are not what they should be.</summary>
    Quality = 5,
    /// <summary>How the customer was treated.</summary>
    Service = 6,
    /// <summary>Money.</summary>
    Billing = 7,
    /// <summary>Anything else.</summary>
    Other = 8,
}

/// <summary>Where a complaint stands.</summary>
public enum ComplaintState : byte
{
    /// <summary>There is none.</summary>
    None = 0,
    /// <summary>Nobody has taken it up.</summary>
    Open = 1,
    /// <summary>Somebody has.</summary>
    Owned = 2,
    /// <summary>Done.</summary>
    Resolved = 3,
}

/// <summary>What came of a complaint.</summary>
public enum ComplaintResolution : byte
{
    /// <summary>Nothing yet.</summary>
    None = 0,
    /// <summary>The customer got money back.</summary>
    Refunded = 1,
    /// <summary>The customer got other goods.</summary>
    Replaced = 2,
    /// <summary>The goods were mended.</summary>
    Repaired = 3,
    /// <summary>The customer got something for the trouble.</summary>
    Goodwill = 4,
    /// <summary>It was explained.</summary>
    Explained = 5,
    /// <summary>There was nothing in it.</summary>
    Unfounded = 6,
}
