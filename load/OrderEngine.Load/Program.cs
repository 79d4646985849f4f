// The process: streams and Ctrl-C. The commands are in LoadCommands.

using OrderEngine.Load;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await LoadCommands.RunAsync(args, Console.Out, Console.Error, stop.Token);
