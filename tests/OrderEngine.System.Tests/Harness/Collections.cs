// Owns which tests run beside others, and in which order they begin. Used by the test runner.
using Xunit.Sdk;

namespace OrderEngine.System.Tests.Harness;

/// <summary>Tests that judge an engine by its pace: nothing runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>Begins with what takes longest, so that nothing long is left over for the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_longest = [nameof(KillTests), nameof(LoadSmokeTests), nameof(ArchiveAlertTests), nameof(ContainerTests), nameof(ImportTests), nameof(ErasureTests), nameof(ErasureBackupTests), nameof(OrderctlKillTests)];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(collection =>
        Array.FindIndex(s_longest, name => collection.DisplayName.EndsWith("." + name, StringComparison.Ordinal)) is var at && at < 0 ? s_longest.Length : at);
}
