// The bounds of the wire: what one call may ask of the server (rule 8). Bounds of requests' contents are OrderEngine.Core.Limits.

namespace OrderEngine.Server;

/// <summary>The bounds of calls and streams, each with its unit.</summary>
internal static class ServerLimits
{
    /// <summary>Bytes of one message that the server accepts; above: MESSAGE_TOO_LARGE.</summary>
    public const int MessageBytes = 4 * 1024 * 1024;

    /// <summary>Orders or reports in one message.</summary>
    public const int ItemsPerMessage = 1_000;

    /// <summary>Commands of one stream that may be undecided or unanswered; then the server stops reading the stream.</summary>
    public const int StreamInFlight = 4_096;

    /// <summary>Bytes of one streamed answer, roughly: it is sent before it grows beyond. Clients accept 4 MiB by default.</summary>
    public const int StreamMessageBytes = 1024 * 1024;

    /// <summary>Events that are remembered as WatchOrders sends them, for others who follow.</summary>
    public const int EncodedEvents = 32_768;

    /// <summary>Bytes of such an event at most: together 32 MiB. An order of three lines takes some 350. Longer ones are encoded for each who follows.</summary>
    public const int EncodedEventBytes = 1_024;

    /// <summary>Bytes of a snapshot or of the keys in one message of a backup.</summary>
    public const int BackupPartBytes = 1024 * 1024;

    /// <summary>How long a backup may take: the journal grows meanwhile, since nothing in it is let go of.</summary>
    public static readonly TimeSpan LongestBackup = TimeSpan.FromHours(6);

    /// <summary>Exports of orders that one client may have, under way or to be gone on with; each has a spool on the disk.</summary>
    public const int OrderExportsPerClient = 2;

    /// <summary>The same of all clients together.</summary>
    public const int OrderExports = 8;

    /// <summary>How long one stream of an export of orders may take; another one goes on.</summary>
    public static readonly TimeSpan LongestExport = TimeSpan.FromHours(6);

    /// <summary>How long a message of it may wait to be taken.</summary>
    public static readonly TimeSpan ExportPatience = TimeSpan.FromMinutes(1);

    /// <summary>How long an export whose stream broke waits for its client.</summary>
    public static readonly TimeSpan ExportKept = TimeSpan.FromMinutes(10);

    /// <summary>Orders in one message of an export.</summary>
    public const int OrdersPerMessage = 500;

    /// <summary>Bytes of one answer's list, roughly: a page is cut before it grows beyond, and its token goes on. One entry stays below 3 MiB.</summary>
    public const int PageBytes = StreamMessageBytes;

    /// <summary>Rows that one page of a filtered list looks at: a page that finds little in them ends early, and its token goes on.</summary>
    public const int RowsLookedAt = 10_000;

    /// <summary>Bytes of parcels in one order, roughly: an order may have 10,000 of 2,000 lines each, which no client would take in one message.</summary>
    public const int ParcelBytes = 1024 * 1024;

    /// <summary>
    /// Lines of all orders of one BulkSubmitOrders. A line short of stock takes at most 87 bytes of the answer and an order around it 100,
    /// so that 1,000 orders stay below <see cref="BulkAnswerBytes"/> when all are accepted.
    /// </summary>
    public const int LinesPerBulk = 40_000;

    /// <summary>
    /// Bytes of one BulkSubmitOrders answer; above it refusals lose their details, the last first. Clients accept 4 MiB by default.
    /// </summary>
    public const int BulkAnswerBytes = 4_000_000;

    /// <summary>Stock levels in one BatchGetStock answer: at most 230 bytes each.</summary>
    public const int LevelsPerBatchGet = 15_000;

    /// <summary>Entries of a page when the request does not say.</summary>
    public const int DefaultPage = 100;

    /// <summary>Entries of a page at most.</summary>
    public const int MaxPage = 1_000;

    /// <summary>States, tiers or grades that a list's filter may name.</summary>
    public const int ListChoices = 100;

    /// <summary>Candidates looked at for one page of a list: bounds its work, and how long rows are kept.</summary>
    public const int ListLooks = 20_000;

    /// <summary>Orders and events looked at for one page of a statement: it ends with the order that reaches them.</summary>
    public const int StatementLooks = 20_000;

    /// <summary>SKUs of one BatchGetStock.</summary>
    public const int SkusPerBatchGet = 1_000;

    /// <summary>Entries of each list of a watch filter.</summary>
    public const int FilterEntries = 1_000;

    /// <summary>Locations of a stock watch's filter.</summary>
    public const int LocationFilterEntries = 100;

    /// <summary>Events in one message of a watch.</summary>
    public const int EventsPerMessage = 1_000;

    /// <summary>Orders in one page of a snapshot.</summary>
    public const int SnapshotPage = 500;

    /// <summary>Orders looked at under one read guard while a snapshot or a list is made: bounds how long rows are kept.</summary>
    public const int ScanStep = 5_000;

    /// <summary>Violations that are told of one request; the rest is counted.</summary>
    public const int ViolationsTold = 20;

    /// <summary>
    /// Bytes of details in one status. They travel in a trailer, in base64, and grpc clients refuse trailers above 8 KiB.
    /// </summary>
    public const int DetailBytes = 4_096;

    /// <summary>Bytes of details in a status that travels in a message: all shortages of 2,000 lines are below it.</summary>
    public const int ItemDetailBytes = 512 * 1024;

    /// <summary>Bytes of an opaque token in a request.</summary>
    public const int TokenBytes = 128;

    /// <summary>Bytes of events in one import: they are checked as a whole before any is written.</summary>
    public const long ImportBytes = 4L * 1024 * 1024 * 1024;

    /// <summary>The longest wait for a min_sequence, for callers without a deadline.</summary>
    public static readonly TimeSpan MinSequenceWait = TimeSpan.FromSeconds(60);

    /// <summary>How long a stopping server lets a client read what it has been sent, before the stream is reset.</summary>
    public static readonly TimeSpan LastWrite = TimeSpan.FromSeconds(5);

    /// <summary>How long a stopping server keeps connections after it has ended their streams.</summary>
    public static readonly TimeSpan LastWord = TimeSpan.FromMilliseconds(500);

    /// <summary>Calls of one client (a channel, or the holder of a credential for all channels) that may be open at once, streams included.</summary>
    public const int OpenCallsPerClient = 2_000;

    /// <summary>The same of all clients together: ten that take all they may.</summary>
    public const int OpenCalls = 20_000;

    /// <summary>Calls of one connection that may be open at once; more wait at the client.</summary>
    public const int CallsPerConnection = 500;

    /// <summary>
    /// Calls of one client that answer with a page of many entries (lists, BatchGetStock) and may be open at once. An answer lies in memory until it is
    /// read, and a page has up to <see cref="PageBytes"/>.
    /// </summary>
    public const int ListsPerClient = 32;

    /// <summary>As how many calls one of them counts: some milliseconds of a processor, where a single order takes some ten microseconds.</summary>
    public const int ListCost = 50;

    /// <summary>Bytes of messages that the calls of one client may hold, beyond <see cref="FreeMessageBytes"/> each: sixteen of the largest.</summary>
    public const long MessageBytesPerClient = 64L * 1024 * 1024;

    /// <summary>Bytes of its message that every call may hold, whatever its client's others hold.</summary>
    public const int FreeMessageBytes = 16 * 1024;

    /// <summary>
    /// Calls of one connection that its client withdrew at once, that had no good credential, whose message was none, or that came while as many were open
    /// as may be (CALL_LIMIT_REACHED): when there are so many, and most of its calls are such, it is closed, its client waits for
    /// <see cref="PauseOfWaste"/> and its address for <see cref="CutOffCost"/>.
    /// </summary>
    public const int WastedCalls = 200;

    /// <summary>How long a client's calls are refused after one of its connections was closed for <see cref="WastedCalls"/>.</summary>
    public static readonly TimeSpan PauseOfWaste = TimeSpan.FromSeconds(10);

    /// <summary>As many new connections of its address such a connection counts as; see <see cref="LongestConnectionWait"/>.</summary>
    public const int CutOffCost = 25;

    /// <summary>Calls of all clients that may have begun and not waited or ended yet: less than a millisecond of the processors, lists apart. More wait, and clients take turns.</summary>
    public static readonly int CallsThatBegin = 8 * Environment.ProcessorCount;

    /// <summary>Calls that begin in one turn of a client.</summary>
    public const int CallsPerTurn = 4;

    /// <summary>
    /// A call that has lain unread for longer, because others of its connection or of others had to begin first, is late. When all of a connection have been for <see cref="LongestBurst"/>,
    /// late ones are turned away (QUEUE_FULL), unless they finish what was begun: who waits for seconds asks again, and what was done for the first time was for nothing. After CoDel (RFC 8289).
    /// </summary>
    public static readonly TimeSpan LongestUnread = TimeSpan.FromMilliseconds(500);

    /// <summary>See <see cref="LongestUnread"/>: so long a burst is worked off, however late.</summary>
    public static readonly TimeSpan LongestBurst = TimeSpan.FromMilliseconds(100);

    /// <summary>Late calls are not turned away any more when there have been none for so long.</summary>
    public static readonly TimeSpan EndOfOverload = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection's calls count as beginning, while others wait: some never do.</summary>
    public static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(20);

    /// <summary>Calls of one connection in a second that need no credential (health): the rest is refused, and counts as <see cref="WastedCalls"/>.</summary>
    public const int OpenCallsPerSecond = 100;

    /// <summary>Watches of the health service, which needs no credential, in all.</summary>
    public const int HealthWatches = 1_000;

    /// <summary>Connections to the metrics and the health pages.</summary>
    public const int MetricsConnections = 200;

    /// <summary>How long one of them may be silent: longer than any scraper waits between two looks, so that it need not connect anew.</summary>
    public static readonly TimeSpan MetricsSilence = TimeSpan.FromMinutes(2);

    /// <summary>Bytes of one call's headers, all of them.</summary>
    public const int HeaderBytes = 32 * 1024;

    /// <summary>A connection on which nothing has come for so long is asked for a sign of life.</summary>
    public static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(30);

    /// <summary>One that does not give it within this time is closed: its peer is gone, whatever the network says.</summary>
    public static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A call that its client withdraws sooner is wasted; see <see cref="WastedCalls"/>.</summary>
    public static readonly TimeSpan HastyCall = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a new connection may wait for its turn; one that would wait longer is closed.</summary>
    public static readonly TimeSpan LongestConnectionWait = TimeSpan.FromSeconds(2);

    /// <summary>
    /// New connections that may come at once: those of a second by this. A handshake is about a millisecond of a processor, and a second's worth of them at once
    /// would stand ahead of everybody's calls.
    /// </summary>
    public const int ConnectionBursts = 20;

    /// <summary>
    /// Connections that come or go for which what is young is collected. Each is some 65 KB that lives as long as it does: at 250 new ones a second the
    /// collector, left to itself, made a pause of 30 to 120 ms a second.
    /// </summary>
    public const int ConnectionsPerCollection = 32;

    /// <summary>Between two such collections: many connections that end at once are enough to do without.</summary>
    public static readonly TimeSpan LeastBetweenCollections = TimeSpan.FromMilliseconds(50);

    /// <summary>How long such a connection is held before it is closed, up to twice as long: whoever comes again at once does so this much more slowly.</summary>
    public static readonly TimeSpan RefusedConnectionHold = TimeSpan.FromSeconds(5);

    /// <summary>How long the headers of a call may take to come.</summary>
    public static readonly TimeSpan HeadersTime = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a second at which the message of a call that is no stream must come, and an answer must be read.</summary>
    public const double LowestRate = 240;

    /// <summary>How long either may be slower.</summary>
    public static readonly TimeSpan LowestRateGrace = TimeSpan.FromSeconds(5);

    /// <summary>Calls whose message comes too slowly that are ended at once, with their connections; more have to wait for <see cref="SlowMessagesPause"/>.</summary>
    public const int SlowMessagesAtOnce = 20;

    /// <summary>Between two times that such calls are ended: 1,000 a second, each some 70 us of a processor.</summary>
    public static readonly TimeSpan SlowMessagesPause = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest that a command may wait to be decided; a longer deadline, and none, count as this.</summary>
    public static readonly TimeSpan LongestDeadline = TimeSpan.FromMinutes(5);

    /// <summary>How often the server looks whether its credentials or certificates have changed on disk.</summary>
    public static readonly TimeSpan CredentialPoll = TimeSpan.FromSeconds(1);

    /// <summary>How often the keys of tokens are fetched again from a URL: as long may a key live that its issuer has withdrawn.</summary>
    public static readonly TimeSpan JwksPoll = TimeSpan.FromMinutes(1);

    /// <summary>How long one fetch of them may take.</summary>
    public static readonly TimeSpan JwksTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Watches of a kind that GetEngineStatus names.</summary>
    public const int SlowestTold = 10;

    /// <summary>Characters of a log category in SetLogLevel.</summary>
    public const int LogCategoryChars = 128;

    /// <summary>Calls and streamed messages traced in one second, whatever their callers ask.</summary>
    public const int TracedCallsPerSecond = 200;

    /// <summary>The quiet time after which a watch sends a heartbeat.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);
}
