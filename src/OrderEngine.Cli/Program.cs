// Owns the process of orderctl: its streams and Ctrl-C.
using OrderEngine.Cli;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await App.RunAsync(args, Terminal.OfProcess(), stop.Token);
