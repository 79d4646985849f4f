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
