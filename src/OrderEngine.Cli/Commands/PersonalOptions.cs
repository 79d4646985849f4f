// Owns how personal data is given on the command line: one option a field. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

/// <summary>The options of a person, for customers and deliveries.</summary>
internal sealed class PersonalOptions
{
    private readonly Option<string?> _name = CatalogCommands.Text("--name", "Of the person. Personal data, like all that follows: kept encrypted.");
    private readonly Option<string?> _phone = CatalogCommands.Text("--phone", "In any form.");
    private readonly Option<string?> _email = CatalogCommands.Text("--email", "Not checked.");
    private readonly Option<string[]> _address = Values.Many("--address-line", "A line of the address; repeat for more, at most 5.", "TEXT", text => text);
    private readonly Option<string?> _city = CatalogCommands.Text("--city", "Or town.");
    private readonly Option<string?> _postal = CatalogCommands.Text("--postal-code", "In any form.");
    private readonly Option<string?> _country = CatalogCommands.Text("--country", "ISO 3166-1 alpha-2, such as GB.");
    private readonly Option<string?> _note = CatalogCommands.Text("--note", "Free text, at most 1,024 bytes.");

    /// <summary>Each with the field of PersonalDetails that it sets.</summary>
    private IEnumerable<(Option Option, string Field)> All =>
    [
        (_name, "name"), (_phone, "phone"), (_email, "email"), (_address, "address_lines"), (_city, "city"), (_postal, "postal_code"), (_country, "country_code"), (_note, "note"),
    ];

    /// <summary>The options.</summary>
    public Option[] Options => [.. All.Select(one => one.Option)];

    /// <summary>The fields that are given.</summary>
    public IEnumerable<string> Given(Session session) => All.Where(one => session.Has(one.Option)).Select(one => one.Field);

    /// <summary>A person in one line.</summary>
    public static string Line(PersonalDetails person) =>
        string.Join(", ", new[] { person.Name, person.Phone, person.Email }.Concat(person.AddressLines).Concat([person.PostalCode, person.City, person.CountryCode, person.Note]).Where(text => text.Length > 0));

    /// <summary>What is given.</summary>
    public PersonalDetails Read(Session session) => new()
    {
        Name = session.Get(_name) ?? "", Phone = session.Get(_phone) ?? "", Email = session.Get(_email) ?? "", AddressLines = { session.Get(_address) ?? [] },
        City = session.Get(_city) ?? "", PostalCode = session.Get(_postal) ?? "", CountryCode = session.Get(_country) ?? "", Note = session.Get(_note) ?? "",
    };
}
