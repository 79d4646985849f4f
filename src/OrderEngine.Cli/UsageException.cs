// Owns the error of a wrong command line or input file. Any thread.
namespace OrderEngine.Cli;

/// <summary>What was given cannot be used; the message names it and the fix.</summary>
internal sealed class UsageException(string message) : Exception(message);
