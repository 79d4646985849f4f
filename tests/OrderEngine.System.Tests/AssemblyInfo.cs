using OrderEngine.System.Tests.Harness;

// Most of a test's time processes are being started. A few tests at once keep two cores busy, and leave their deadlines far away.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: TestCollectionOrderer("OrderEngine.System.Tests.Harness.LongestFirst", "OrderEngine.System.Tests")]
