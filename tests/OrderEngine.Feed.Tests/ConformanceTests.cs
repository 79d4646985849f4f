// The stand-ins fit the real packages: every member that these use exists, and every type of theirs loads.

using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;
using Xunit;

namespace OrderEngine.Feed.Tests;

public class ConformanceTests
{
    // What each package refers to in the two stand-ins at 2.85.0, less some slack: below this the check is blind.
    private const int TypesReferred = 30;
    private const int MembersReferred = 60;

    // Stands for every type parameter in scope where a reference is made; no type there has more than three.
    private static readonly Type[] TypeArguments = [typeof(object), typeof(object), typeof(object)];

    private static readonly string[] StandIns =
        [typeof(Metadata).Assembly.GetName().Name!, typeof(ICompressionProvider).Assembly.GetName().Name!];

    public static TheoryData<Type> Packages => [typeof(GrpcServiceOptions), typeof(GrpcChannel)];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_type_and_member_that_the_package_uses_exists(Type packageType)
    {
        using var file = File.OpenRead(packageType.Assembly.Location);
        using var image = new PEReader(file);
        var reader = image.GetMetadataReader();
        var missing = new List<string>();
        var types = reader.TypeReferences.Where(h => IsOurs(reader, h)).ToList();
        foreach (var type in types)
            missing.AddRange(Missing(() => packageType.Module.ResolveType(MetadataTokens.GetToken(type))));
        // All of them, not only those on our types: a signature may name our types anywhere.
        foreach (var member in reader.MemberReferences)
            missing.AddRange(Missing(() =>
                packageType.Module.ResolveMember(MetadataTokens.GetToken(member), TypeArguments, TypeArguments)));
        Assert.True(missing.Count == 0, string.Join(Environment.NewLine, missing.Distinct()));

        var members = reader.MemberReferences.Count(h => IsOurs(reader, reader.GetMemberReference(h).Parent));
        Assert.True(types.Count >= TypesReferred, $"Only {types.Count} types were checked, expected at least {TypesReferred}.");
        Assert.True(members >= MembersReferred, $"Only {members} members were checked, expected at least {MembersReferred}.");
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_type_of_the_package_loads(Type packageType)
    {
        // Throws when a base class, an interface or an overridden member is missing.
        Assert.Contains(packageType, packageType.Assembly.GetTypes());
    }

    [Fact]
    public void The_stand_ins_carry_the_key_that_the_packages_ask_for()
    {
        foreach (var asked in typeof(GrpcChannel).Assembly.GetReferencedAssemblies().Where(a => StandIns.Contains(a.Name)))
        {
            var given = Assembly.Load(asked).GetName();
            Assert.Equal(asked.GetPublicKeyToken(), given.GetPublicKeyToken());
            Assert.True(given.Version >= asked.Version);
        }
    }

    private static bool IsOurs(MetadataReader reader, EntityHandle parent) => parent.Kind switch
    {
        HandleKind.TypeReference => IsOurs(reader, (TypeReferenceHandle)parent),
        HandleKind.TypeSpecification => IsOurs(reader, reader.GetTypeSpecification((TypeSpecificationHandle)parent)),
        _ => false,
    };

    private static bool IsOurs(MetadataReader reader, TypeReferenceHandle handle)
    {
        var scope = reader.GetTypeReference(handle).ResolutionScope;
        return scope.Kind switch
        {
            HandleKind.TypeReference => IsOurs(reader, (TypeReferenceHandle)scope),
            HandleKind.AssemblyReference =>
                StandIns.Contains(reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)scope).Name)),
            _ => false,
        };
    }

    // A generic instantiation: GENERICINST, CLASS or VALUETYPE, then the generic type itself.
    private static bool IsOurs(MetadataReader reader, TypeSpecification specification)
    {
        var blob = reader.GetBlobReader(specification.Signature);
        if (blob.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
            return false;
        blob.ReadCompressedInteger();
        var type = blob.ReadTypeHandle();
        return type.Kind == HandleKind.TypeReference && IsOurs(reader, (TypeReferenceHandle)type);
    }

    private static IEnumerable<string> Missing(Action resolve)
    {
        try
        {
            resolve();
            return [];
        }
        catch (TypeLoadException e) when (e.Message.Contains("violates the constraint", StringComparison.Ordinal))
        {
            // The package's own generic type does not take object as an argument: nothing of ours is missing.
            return [];
        }
        catch (Exception e) when (e is MissingMemberException or TypeLoadException or FileLoadException or FileNotFoundException)
        {
            return [e.Message];
        }
    }
}
