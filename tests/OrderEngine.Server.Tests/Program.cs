// The test assembly as a program: makes golden data directories (Golden/GoldenMaker).

using OrderEngine.Server.Tests.Golden;

namespace OrderEngine.Server.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is ["make-golden", var target]) return await GoldenMaker.MakeAsync(Path.GetFullPath(target));
        await Console.Error.WriteLineAsync("make-golden DIRECTORY");
        return 2;
    }
}
