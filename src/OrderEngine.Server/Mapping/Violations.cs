// What is malformed in one request: every field at once, up to a bound, with paths that are built only when something is wrong.

using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using OrderEngine.Contracts.V1;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Where a field stands in its request, as in "order.lines[3].quantity". Makes no text until asked.</summary>
/// <param name="Text">The path, or the list's when an index is given.</param>
/// <param name="Index">0-based; -1: none.</param>
/// <param name="Rest">The field in the list's entry; null: the entry itself.</param>
internal readonly record struct FieldPath(string Text, int Index = -1, string? Rest = null)
{
    public static implicit operator FieldPath(string text) => new(text);

    public override string ToString()
    {
        if (Index < 0) return Text;
        var entry = $"{Text}[{Index.ToString(CultureInfo.InvariantCulture)}]";
        return Rest is null ? entry : $"{entry}.{Rest}";
    }
}

/// <summary>Collects violations. A struct that allocates nothing while all is well: pass it by reference.</summary>
internal struct Violations
{
    private BadRequest? _told;
    private int _bytes;
    private int _untold;

    /// <summary>True when something is malformed.</summary>
    public readonly bool Any => _told is not null;

    /// <summary>Notes a violation.</summary>
    /// <param name="path">The field.</param>
    /// <param name="rule">What it must be: "must be ...".</param>
    public void Add(FieldPath path, string rule)
    {
        _told ??= new BadRequest();
        var violation = new BadRequest.Types.FieldViolation { Field = path.ToString(), Description = rule };
        var size = violation.CalculateSize();
        // Half of what a trailer may hold: the rest is for ErrorInfo and the message.
        if (_told.FieldViolations.Count == ServerLimits.ViolationsTold || _bytes + size > ServerLimits.DetailBytes / 2)
        {
            _untold++;
            return;
        }
        _bytes += size;
        _told.FieldViolations.Add(violation);
    }

    /// <summary>Ends a read that is malformed, or names what does not exist.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is.</exception>
    public readonly void ThrowIfAny(in References references)
    {
        if (Any) throw ToStatus().ToException();
        if (references.Missing is { } missing) throw missing.ToException();
    }

    /// <summary>Ends a read that is malformed.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is.</exception>
    public readonly void ThrowIfAny() => ThrowIfAny(default);

    /// <summary>The refusal: INVALID_FIELD with BadRequest.</summary>
    public readonly RpcStatus ToStatus()
    {
        var told = _told ?? throw new InvalidOperationException("Nothing is malformed.");
        var first = told.FieldViolations[0];
        var others = told.FieldViolations.Count - 1 + _untold;
        var message = others == 0 ? $"{first.Field}: {first.Description}" : $"{first.Field}: {first.Description} (and {others} more)";
        var status = _untold == 0
            ? Errors.Status(ErrorReason.InvalidField, message)
            : Errors.Status(ErrorReason.InvalidField, message, ("violations_not_shown", _untold.ToString(CultureInfo.InvariantCulture)));
        status.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(told));
        return status;
    }
}
