// Micro-benchmarks of the parts an order passes: core, codec, lanes, journal, read view. Run by hand: dotnet run -c Release --project
// load/OrderEngine.Benchmarks -- --filter '*' [--job short]. Each prints time and allocated bytes an operation; nothing is judged.

using BenchmarkDotNet.Running;
using OrderEngine.Benchmarks;

// In this process: the project that BenchmarkDotNet would write and build has no lock file, and this build refuses that.
BenchmarkSwitcher.FromAssembly(typeof(Orders).Assembly).Run([.. args, "--inProcess"]);
