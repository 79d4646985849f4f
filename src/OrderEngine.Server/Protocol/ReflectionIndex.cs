// What server reflection can be asked about: the served contract, indexed once at start. Immutable; any thread.

using Google.Protobuf.Reflection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace OrderEngine.Server.Protocol;

/// <summary>The files of a contract by name, by the symbols they declare and by the extensions they declare.</summary>
public sealed class ReflectionIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly Dictionary<string, FileDescriptor> _symbols = [];
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = [];
    private readonly HashSet<string> _messages = [];

    /// <summary>Indexes these services' files and all that these import. The services are listed in ordinal order.</summary>
    public ReflectionIndex(IEnumerable<ServiceDescriptor> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var listed = services.ToList();
        Services = [.. listed.Select(s => s.FullName).Distinct().Order(StringComparer.Ordinal)];
        foreach (var service in listed)
            Add(service.File);
    }

    /// <summary>The full names of the served services.</summary>
    public IReadOnlyList<string> Services { get; }

    /// <summary>The file of this name, or null.</summary>
    public FileDescriptor? FileByName(string name) => _files.GetValueOrDefault(name);

    /// <summary>The file that declares this symbol (full name), or null.</summary>
    public FileDescriptor? FileBySymbol(string symbol) => _symbols.GetValueOrDefault(symbol);

    /// <summary>The file that declares this extension, or null.</summary>
    public FileDescriptor? FileByExtension(string extendedType, int number) =>
        _extensions.GetValueOrDefault(extendedType)?.GetValueOrDefault(number);

    /// <summary>The numbers of a message's extensions, ascending; none when it has none, null when there is no such message.</summary>
    public IReadOnlyCollection<int>? ExtensionNumbers(string extendedType) =>
        _extensions.TryGetValue(extendedType, out var byNumber) ? byNumber.Keys
        : _messages.Contains(extendedType) ? [] : null;

    private void Add(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file))
            return;
        foreach (var import in file.Dependencies)
            Add(import);
        foreach (var message in file.MessageTypes)
            Add(message);
        foreach (var type in file.EnumTypes)
            Add(type, file.Package);
        foreach (var service in file.Services)
        {
            AddSymbol(service);
            foreach (var method in service.Methods)
                AddSymbol(method);
        }
        foreach (var extension in file.Extensions.UnorderedExtensions)
            AddExtension(extension);
    }

    private void Add(MessageDescriptor message)
    {
        AddSymbol(message);
        _messages.Add(message.FullName);
        foreach (var field in message.Fields.InDeclarationOrder())
            AddSymbol(field);
        foreach (var oneof in message.Oneofs)
            AddSymbol(oneof);
        foreach (var nested in message.NestedTypes)
            Add(nested);
        foreach (var type in message.EnumTypes)
            Add(type, message.FullName);
        foreach (var extension in message.Extensions.UnorderedExtensions)
            AddExtension(extension);
    }

    // The names of an enum's values lie beside the enum, not within it.
    private void Add(EnumDescriptor type, string scope)
    {
        AddSymbol(type);
        foreach (var value in type.Values)
            _symbols.TryAdd(scope.Length == 0 ? value.Name : $"{scope}.{value.Name}", value.File);
    }

    private void AddExtension(FieldDescriptor extension)
    {
        AddSymbol(extension);
        var extended = extension.ExtendeeType.FullName;
        if (!_extensions.TryGetValue(extended, out var byNumber))
            _extensions[extended] = byNumber = [];
        byNumber.TryAdd(extension.FieldNumber, extension.File);
    }

    private void AddSymbol(IDescriptor symbol) => _symbols.TryAdd(symbol.FullName, symbol.File);
}
