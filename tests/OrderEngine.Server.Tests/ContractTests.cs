// What the contract promises beside its rpcs: the catalogue of errors, tokens that cannot be spoiled unnoticed.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class ContractTests
{
    [Fact]
    public void Every_reason_has_its_entry_and_every_outcome_is_a_reason_that_binds_alike()
    {
        foreach (var reason in Enum.GetValues<ErrorReason>())
        {
            if (reason == ErrorReason.Unspecified) continue;
            var entry = Errors.Entry(reason);
            Assert.NotEqual(Google.Rpc.Code.Ok, entry.Status);
            Assert.NotEmpty(entry.Cause);
            Assert.NotEmpty(entry.Action);
            var status = Errors.Status(reason);
            Assert.Equal((int)entry.Status, status.Code);
            Assert.Equal(entry.Retry, Refusal.Of(status).Retry is not null);
        }
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            if (outcome == Outcome.Ok) continue;
            var reason = (ErrorReason)outcome;
            Assert.True(Enum.IsDefined(reason), outcome.ToString());
            Assert.Equal(outcome.ToString(), reason.ToString());
            Assert.Equal(Errors.Entry(reason).Binds, outcome.Binds());
        }
    }

    [Fact]
    public void A_token_reads_back_and_a_spoiled_one_does_not()
    {
        var token = new Token(TokenKind.Orders, 123_456, 7, 99).ToString();
        var violations = new Violations();
        Assert.Equal(new Token(TokenKind.Orders, 123_456, 7, 99), Token.Read(ref violations, "t", token, TokenKind.Orders, 99));
        Assert.False(violations.Any);
        foreach (var (spoiled, kind, scope) in new[] { (token, TokenKind.Stock, 99UL), (token, TokenKind.Orders, 98UL), (token[..^2], TokenKind.Orders, 99UL), ("B" + token[1..], TokenKind.Orders, 99UL), (token + "AA", TokenKind.Orders, 99UL) })
        {
            var found = new Violations();
            Token.Read(ref found, "t", spoiled, kind, scope);
            Assert.True(found.Any, spoiled);
        }
    }
}
