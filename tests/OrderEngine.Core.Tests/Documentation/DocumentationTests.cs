// The documents that must not drift: the contract's comments, and the transition table in docs/ARCHITECTURE.md.

using System.Text.RegularExpressions;
using Xunit;

namespace OrderEngine.Core.Tests.Documentation;

public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_declaration_of_the_contract_is_documented()
    {
        var files = Directory.GetFiles(Path.Combine(Root(), "proto", "orderengine", "v1"), "*.proto");
        Assert.True(files.Length >= 10, $"Only {files.Length} files of the contract were found.");
        var declarations = 0;
        var undocumented = new List<string>();
        foreach (var file in files)
        {
            var before = "";
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                var text = line.Trim();
                if (Declaration().IsMatch(text))
                {
                    declarations++;
                    // An entry of the error catalogue carries its documentation as an option.
                    if (!before.StartsWith("//", StringComparison.Ordinal) && !text.Contains("[(error)", StringComparison.Ordinal))
                        undocumented.Add($"{Path.GetFileName(file)}:{number}: {text}");
                }
                if (text.Length > 0) before = text;
            }
        }
        Assert.True(declarations > 400, $"Only {declarations} declarations were recognised.");
        Assert.Empty(undocumented);
    }

    [Fact]
    public void The_architecture_shows_the_transition_table_as_it_is()
    {
        var text = File.ReadAllText(Path.Combine(Root(), "docs", "ARCHITECTURE.md"));
        var shown = text.Split("<!-- transitions:begin -->")[1].Split("<!-- transitions:end -->")[0]
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(2);
        var real = Transitions.Table.Select(row =>
            $"| {row.Command} | {row.Default} | {string.Join(", ", row.Roles)} | {string.Join(", ", row.From)}{string.Join(", ", row.FromReturn.Select(state => $"return {state}"))} |".Replace("|  |", "| |", StringComparison.Ordinal));
        Assert.Equal(real, shown);
    }

    [GeneratedRegex(@"^(message|enum|service|rpc|oneof)\s+\w+|^(repeated |optional )?[\w.]+ \w+ = \d+|^[A-Z][A-Z0-9_]* = \d+")]
    private static partial Regex Declaration();

    internal static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "OrderEngine.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The repository's root was not found above the test's folder.");
    }
}
