// A contract made up for the reflection tests, with what a real one may have: imports shared by two services, nested types,
// a oneof, and a proto2 file with extensions.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;
using Label = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Label;

namespace OrderEngine.Server.Tests.Protocol;

internal static class Shop
{
    private static readonly FileDescriptorProto[] Files =
    [
        new()
        {
            Name = "money.proto", Package = "shop", Syntax = "proto3",
            EnumType = { new EnumDescriptorProto { Name = "Currency", Value = { new EnumValueDescriptorProto { Name = "EUR", Number = 0 } } } },
        },
        new()
        {
            Name = "line.proto", Package = "shop", Syntax = "proto3", Dependency = { "money.proto" },
            MessageType =
            {
                new DescriptorProto
                {
                    Name = "Line",
                    Field =
                    {
                        new FieldDescriptorProto { Name = "price", Number = 1, Label = Label.Optional, Type = FieldType.Int64, OneofIndex = 0 },
                        new FieldDescriptorProto
                        {
                            Name = "currency", Number = 2, Label = Label.Optional, Type = FieldType.Enum, TypeName = ".shop.Currency",
                        },
                    },
                    OneofDecl = { new OneofDescriptorProto { Name = "kind" } },
                    NestedType = { new DescriptorProto { Name = "Inner" } },
                    EnumType = { new EnumDescriptorProto { Name = "State", Value = { new EnumValueDescriptorProto { Name = "OPEN", Number = 0 } } } },
                },
            },
        },
        new()
        {
            Name = "open.proto", Package = "shop", Syntax = "proto2",
            MessageType =
            {
                new DescriptorProto
                {
                    Name = "Open", ExtensionRange = { new DescriptorProto.Types.ExtensionRange { Start = 100, End = 200 } },
                    Extension = { Extension("nested", 101) },
                },
            },
            Extension = { Extension("note", 100) },
        },
        new()
        {
            Name = "orders.proto", Package = "shop", Syntax = "proto3", Dependency = { "line.proto", "money.proto", "open.proto" },
            Service = { Service("Orders") },
        },
        new()
        {
            Name = "stock.proto", Package = "shop", Syntax = "proto3", Dependency = { "line.proto" },
            Service = { Service("Stock") },
        },
    ];

    public static IReadOnlyList<ServiceDescriptor> Services { get; } =
        [.. FileDescriptor.BuildFromByteStrings(Files.Select(f => f.ToByteString())).SelectMany(f => f.Services)];

    /// <summary>Where a file stands in an order in which imports come before importers.</summary>
    public static int Position(string file) => Array.FindIndex(Files, f => f.Name == file);

    private static FieldDescriptorProto Extension(string name, int number) =>
        new() { Name = name, Number = number, Label = Label.Optional, Type = FieldType.String, Extendee = ".shop.Open" };

    private static ServiceDescriptorProto Service(string name) => new()
    {
        Name = name,
        Method = { new MethodDescriptorProto { Name = "Submit", InputType = ".shop.Line", OutputType = ".shop.Line" } },
    };
}
