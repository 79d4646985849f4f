// Every rpc x scope x kind of channel, generated from the contract's descriptors: what the table does not open is closed, and what it opens
// to a channel's credential tells a stranger's order from one that does not exist by nothing.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class RpcTableTests
{
    private static readonly Scopes[] AllScopes = [.. Enum.GetValues<Scopes>().Where(scope => scope != Scopes.None)];

    [Fact]
    public void Every_rpc_of_the_contract_has_a_row_and_every_row_a_scope()
    {
        var rows = RpcTable.All.ToDictionary(row => row.Path);
        var missing = AnyRpc.All.Select(PathOf).Where(path => !rows.ContainsKey(path)).ToList();
        Assert.True(missing.Count == 0, $"Closed to every credential until Access/RpcTable.cs opens them: {string.Join(", ", missing)}");
        Assert.All(RpcTable.All, row => Assert.NotEqual(Scopes.None, row.Scopes));
    }

    // Rpcs that ask for a command of another name.
    private static readonly Dictionary<string, Core.CommandKind> Asked = new()
    {
        ["UpsertSku"] = Core.CommandKind.DefineSku, ["UpsertLocation"] = Core.CommandKind.DefineLocation, ["UpsertChannel"] = Core.CommandKind.DefineChannel,
        ["UpsertCustomer"] = Core.CommandKind.DefineCustomer, ["BulkSubmitOrders"] = Core.CommandKind.SubmitOrder, ["StreamSubmitOrders"] = Core.CommandKind.SubmitOrder,
        ["CheckFulfillability"] = Core.CommandKind.SubmitOrder, ["StreamStatusReports"] = Core.CommandKind.RecordDelivery,
    };

    // The table could be wrong itself: what it says of changes is held against the core's table of roles.
    [Fact]
    public void A_scope_that_opens_a_change_gives_a_role_that_may_make_it()
    {
        var changes = 0;
        var wrong = new List<string>();
        foreach (var row in RpcTable.All)
        {
            if (!Asked.TryGetValue(row.Method, out var kind) && !Enum.TryParse(row.Method, out kind)) continue;
            changes++;
            var command = Core.Transitions.Of(kind);
            foreach (var scope in AllScopes.Where(scope => row.Scopes.HasFlag(scope)))
            {
                var roles = Roles.Of(scope);
                if (!command.Roles.Any(role => (roles & Roles.Bit(role)) != 0)) wrong.Add($"{row.Method} is open to {scope}, whose roles may not do it.");
            }
        }
        Assert.Empty(wrong);
        // All commands that somebody may ask for, and the rpcs that stand for the same one; lines are amended by AmendOrder.
        var asked = Core.Transitions.Table.Count(command => command.Command != Core.CommandKind.AmendLines && command.Roles is not [Core.Role.System]);
        Assert.Equal(asked + 4, changes);
    }

    [Fact]
    public void What_shows_or_moves_everything_is_for_operations_alone()
    {
        string[] shared = ["GetStats", "ListExceptions", "ResolveException"];
        var operations = RpcTable.All.Where(row => row.Service == "AdminService" && !shared.Contains(row.Method)).ToList();
        Assert.True(operations.Count >= 8);
        Assert.All(operations, row => Assert.Equal((Scopes.Admin, false), (row.Scopes, row.Bound)));
        Assert.All(RpcTable.All.Where(row => row.Method.StartsWith("Erase", StringComparison.Ordinal)), row => Assert.Equal((Scopes.Admin, false), (row.Scopes, row.Bound)));
    }

    [Fact]
    public async Task An_rpc_opens_to_the_scopes_of_its_row_and_to_no_other()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var wrong = new List<string>();
        var tried = 0;
        foreach (var bound in new[] { false, true })
        foreach (var scope in AllScopes)
        {
            if (bound && ScopeNames.Shared.HasFlag(scope)) continue;
            var caller = keyed.As(keyed.Create($"{scope}-{bound}", bound ? "WEB" : null, scope));
            foreach (var rpc in AnyRpc.All)
            {
                var row = RpcTable.Find(PathOf(rpc));
                var answer = await AnyRpc.CallAsync(caller, rpc, rpc.InputType.Parser.ParseFrom(ByteString.Empty));
                var opens = row is not null && row.Scopes.HasFlag(scope) && (row.Bound || !bound);
                tried++;
                if (opens != (answer.Reason != "SCOPE_MISSING")) wrong.Add($"{rpc.Name} with {scope}, bound {bound}: {answer}");
                if (!opens && answer.Code != StatusCode.PermissionDenied) wrong.Add($"{rpc.Name} with {scope}, bound {bound}: {answer}");
            }
        }
        Assert.Empty(wrong);
        Assert.Equal(AnyRpc.All.Count() * (AllScopes.Length * 2 - 2), tried);
    }

    [Fact]
    public async Task Without_a_credential_or_with_a_wrong_one_every_rpc_is_closed()
    {
        // A connection that wastes so many calls (ServerLimits.WastedCalls) is closed: a server for some of the rpcs at a time.
        foreach (var some in AnyRpc.All.Chunk(ServerLimits.WastedCalls / 10))
        {
            await using var keyed = await KeyedServer.StartAsync();
            await CloseAsync(keyed, some);
        }
    }

    private static async Task CloseAsync(KeyedServer keyed, MethodDescriptor[] rpcs)
    {
        var good = keyed.Create("web", "WEB", Scopes.Submit | Scopes.Track);
        var forged = good[..^1] + (good[^1] == 'A' ? 'E' : 'A');
        var revoked = keyed.Create("old", null, Scopes.Admin);
        keyed.Revoke(revoked);
        foreach (var rpc in rpcs)
        {
            var request = rpc.InputType.Parser.ParseFrom(ByteString.Empty);
            Assert.Equal((StatusCode.Unauthenticated, "CREDENTIAL_MISSING"), Brief(await AnyRpc.CallAsync(keyed.As(null), rpc, request)));
            var answers = new HashSet<Answer>();
            foreach (var credential in new[] { forged, revoked, "k00000000000." + good[13..], "nonsense", "a.b.c" })
                answers.Add(await AnyRpc.CallAsync(keyed.As(credential), rpc, request));
            // Which of these it was is not told.
            Assert.Equal((StatusCode.Unauthenticated, "CREDENTIAL_INVALID"), Brief(Assert.Single(answers)));
        }
    }

    [Fact]
    public async Task A_strangers_object_answers_exactly_like_one_that_does_not_exist()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var theirs = await Things.WithReturnAsync(keyed.As(keyed.Create("ebay", "EBAY", Scopes.Submit | Scopes.Reserve | Scopes.Fulfil)), "EBAY");
        var own = keyed.As(keyed.Create("web", "WEB", AllScopes.Aggregate((all, one) => all | one) & ~ScopeNames.Shared));
        var ours = await Things.WithReturnAsync(own, "WEB");
        var nothing = new Things("NOWHERE", Core.PublicId.Format(Core.PublicId.Order, 4_711_000), Core.PublicId.Format(Core.PublicId.Reservation, 4_711_000), "x-nothing") 
        {
            ReturnId = Core.PublicId.Format(Core.PublicId.Return, 4_711_000), ComplaintId = Core.PublicId.Format(Core.PublicId.Complaint, 4_711_000),
        };
        var wrong = new List<string>();
        var told = 0;
        foreach (var rpc in AnyRpc.All.Where(rpc => RpcTable.Find(PathOf(rpc)) is { Bound: true }))
        foreach (var field in Requests.Naming(rpc.InputType))
        {
            // The same request twice, once with what is theirs and once with what is not: under one request id, since neither binds it.
            var id = Shop.NewId();
            var stranger = await AnyRpc.CallAsync(own, rpc, Requests.Make(rpc.InputType, field, theirs, ours, id));
            var absent = await AnyRpc.CallAsync(own, rpc, Requests.Make(rpc.InputType, field, nothing, ours, id));
            told++;
            if (Plain(stranger, theirs) != Plain(absent, nothing)) wrong.Add($"{rpc.Name}.{field}: {stranger}\n  but {absent}");
            else if (stranger.Reason == "INVALID_FIELD") wrong.Add($"{rpc.Name}.{field}: the request is malformed, so nothing was tried: {stranger.Details}");
        }
        Assert.Empty(wrong);
        Assert.True(told >= 20, $"Only {told} fields were tried.");
        var status = await new OrderService.OrderServiceClient(keyed.Server.InvokerWith(keyed.Create("look", null, Scopes.Track))).GetOrderAsync(new GetOrderRequest { OrderId = theirs.OrderId });
        Assert.Equal(OrderState.Ready, status.State);
    }

    [Fact]
    public void Every_id_in_a_request_is_one_whose_isolation_is_known()
    {
        var unknown = AnyRpc.All.Where(rpc => RpcTable.Find(PathOf(rpc)) is { Bound: true })
            .SelectMany(rpc => Requests.Unclassified(rpc.InputType).Select(field => $"{rpc.Name}.{field}")).ToList();
        Assert.True(unknown.Count == 0, $"Say in Requests.cs whether a channel may see what these name: {string.Join(", ", unknown)}");
    }

    private static string PathOf(MethodDescriptor rpc) => $"/{rpc.Service.FullName}/{rpc.Name}";

    private static (StatusCode, string) Brief(Answer answer) => (answer.Code, answer.Reason);

    // What is told apart from the ids that the caller sent itself, and from how far the engine has come meanwhile.
    private static string Plain(Answer answer, Things things)
    {
        var text = $"{answer.Code} {answer.Reason} {answer.Details} {answer.First}"
            .Replace(things.OrderId, "ORDER", StringComparison.Ordinal).Replace(things.ReservationId, "RESERVATION", StringComparison.Ordinal)
            .Replace(things.ReturnId, "RETURN", StringComparison.Ordinal).Replace(things.ComplaintId, "COMPLAINT", StringComparison.Ordinal)
            .Replace($"\"{things.ChannelId}\"", "\"CHANNEL\"", StringComparison.Ordinal).Replace(things.ExternalOrderId, "EXTERNAL", StringComparison.Ordinal);
        return System.Text.RegularExpressions.Regex.Replace(text, "\"(resumeToken|highWatermark|time|sequence)\": \"[^\"]*\"", "");
    }
}
