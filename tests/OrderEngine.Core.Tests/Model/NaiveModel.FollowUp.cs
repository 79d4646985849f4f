// The model's exceptions. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelException(ExceptionKind kind, long order, int line, long quantity)
{
    public readonly ExceptionKind Kind = kind;
    public readonly long Order = order;
    public readonly int Line = line;
    public readonly long Quantity = quantity;
    public long Version;
    public bool Open = true;
    public string Resolution = "", Resolver = "";

    public static implicit operator ModelException((ExceptionKind Kind, long Order, int Line, long Quantity) raised) => new(raised.Kind, raised.Order, raised.Line, raised.Quantity);
}

internal sealed partial class NaiveModel
{
    private Outcome Resolve(ResolveException resolve)
    {
        if (resolve.Exception < 1 || resolve.Exception > Exceptions.Count) return Outcome.ExceptionNotFound;
        var exception = Exceptions[(int)resolve.Exception - 1];
        if (resolve.ExpectedVersion != 0 && resolve.ExpectedVersion != exception.Version) return Outcome.EtagMismatch;
        if (!exception.Open) return Outcome.ExceptionNotOpen;
        if (exception.Order == 0) Event();
        else Change(Orders[(int)exception.Order - 1]);
        exception.Open = false;
        exception.Version = Sequence;
        (exception.Resolution, exception.Resolver) = (Text(resolve.Resolution), Text(resolve.Actor));
        return Outcome.Ok;
    }
}
