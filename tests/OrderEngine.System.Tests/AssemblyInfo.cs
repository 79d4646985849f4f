// Each test starts servers of its own and measures them by what they do; side by side they would only slow each other down.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
