// Random ends of exceptions.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    private ResolveException Resolve()
    {
        var number = _random.Next(15) == 0 ? model.Exceptions.Count + 1L : _random.Next(1, Math.Max(1, model.Exceptions.Count) + 1);
        var open = model.Exceptions.FindLastIndex(exception => exception.Open);
        if (open >= 0 && _random.Next(3) > 0) number = open + 1;
        return new ResolveException
        {
            Exception = number, Resolution = _random.Next(2) == 0 ? Bytes("called the buyer") : [], RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
            Actor = Bytes("anna"), ExpectedVersion = number > model.Exceptions.Count ? 0 : Etag(model.Exceptions[(int)number - 1].Version),
        };
    }
}
