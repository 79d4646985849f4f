// Owns the options that every command has. One thread.
using System.CommandLine;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli;

internal static class Globals
{
    public static readonly Option<string> Address = new("--address")
    {
        Description = "Where the engine listens.", HelpName = "URL", Recursive = true, DefaultValueFactory = _ => OrderEngineClient.DefaultAddress,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Write JSON to standard output, one object a line, and nothing else.", Recursive = true,
    };

    public static readonly Option<TimeSpan?> RetryFor = Values.Duration("--retry-for", "How long to go on trying when the engine is not there; 0: not at all.");

    public static readonly Option<string?> Actor = new("--actor")
    {
        Description = "Who asks: a staff or service number, kept with the change. Not personal data.", HelpName = "ID", Recursive = true,
    };

    public static readonly Option<Role> Role = Values.Choice<Role>("--role", "In which role.");

    public static readonly Option<string?> Credential = new("--credential")
    {
        Description = "File that holds the API key or token, read anew for every call; left out: the environment's ORDERENGINE_CREDENTIAL.", HelpName = "FILE", Recursive = true,
    };

    public static readonly Option<string?> Ca = new("--ca")
    {
        Description = "PEM file of the authorities that the engine's certificate must come from; left out: ORDERENGINE_CA, or those of the system.", HelpName = "FILE", Recursive = true,
    };

    public static readonly Option<string?> ClientCertificate = new("--client-certificate")
    {
        Description = "PEM file of the certificate and key to show.", HelpName = "FILE", Recursive = true,
    };

    static Globals()
    {
        RetryFor.Recursive = true;
        Role.Recursive = true;
    }

    public static IEnumerable<Option> All => [Address, Json, RetryFor, Actor, Role, Credential, Ca, ClientCertificate];
}
