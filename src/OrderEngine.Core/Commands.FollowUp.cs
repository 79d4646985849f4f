// Commands on what has to be followed up.

namespace OrderEngine.Core;

/// <summary>Says that an exception was looked into.</summary>
public sealed class ResolveException() : Command(CommandKind.ResolveException)
{
    /// <summary>Its number.</summary>
    public required long Exception { get; init; }
    /// <summary>What was done, at most <see cref="Limits.ExceptionTextBytes"/>.</summary>
    public byte[] Resolution { get; init; } = [];
}

/// <summary>How long an order may stay in a state.</summary>
/// <param name="State">The state, not one that orders end in.</param>
/// <param name="Seconds">1 to <see cref="Limits.LeadTimeSeconds"/>.</param>
public readonly record struct StallTime(OrderState State, long Seconds);

/// <summary>Sets when orders are due. What is 0 is not watched; deadlines that orders have stay as they are.</summary>
public sealed class SetDeadlines() : Command(CommandKind.SetDeadlines)
{
    /// <summary>Seconds from READY to the warehouse.</summary>
    public long ReleaseSeconds { get; init; }
    /// <summary>Seconds from acceptance to delivery, where the order names no time; 0: no delivery is watched.</summary>
    public long DeliverySeconds { get; init; }
    /// <summary>Seconds before a deadline at which it is reminded of.</summary>
    public long RemindSeconds { get; init; }
    /// <summary>Seconds from acceptance after which an order that ships complete takes what comes; 0: <see cref="Limits.DefaultEarmarkSeconds"/>.</summary>
    public long EarmarkSeconds { get; init; }
    /// <summary>Seconds for which what is to be paid may stay unpaid; not 0: the dates of instalments are watched, too.</summary>
    public long PaymentSeconds { get; init; }
    /// <summary>Seconds for which what was delivered for cash may stay unpaid.</summary>
    public long CashSeconds { get; init; }
    /// <summary>Seconds from a return's approval to its goods.</summary>
    public long ReturnArrivalSeconds { get; init; }
    /// <summary>Seconds from a return's goods to its end.</summary>
    public long ReturnCloseSeconds { get; init; }
    /// <summary>Seconds before its end at which a hold is reminded of, at most <see cref="Limits.HoldRemindSeconds"/>.</summary>
    public long HoldRemindSeconds { get; init; }
    /// <summary>A state at most once.</summary>
    public StallTime[] Stalls { get; init; } = [];
}
