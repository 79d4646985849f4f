// What a refused call says, read from its details as a client would.

using Google.Rpc;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Tests.Kit;

internal sealed record Refusal(StatusCode Code, string Reason, string[] Fields, IReadOnlyDictionary<string, string> Metadata, StockShortage[] Shortages, TimeSpan? Retry)
{
    /// <summary>Null: the call succeeded.</summary>
    public static async Task<Refusal?> OfAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException thrown)
        {
            return Of(thrown);
        }
    }

    public static async Task<Refusal> ExpectAsync(Func<Task> call) => await OfAsync(call) ?? throw new Xunit.Sdk.XunitException("The call was not refused.");

    public static Refusal Of(RpcException thrown)
    {
        var details = thrown.Trailers.GetValueBytes("grpc-status-details-bin");
        return details is null
            ? new Refusal(thrown.StatusCode, thrown.Message, [], new Dictionary<string, string>(), [], null)
            : Of(RpcStatus.Parser.ParseFrom(details));
    }

    public static Refusal Of(RpcStatus status)
    {
        var refusal = new Refusal((StatusCode)status.Code, "", [], new Dictionary<string, string>(), [], null);
        foreach (var detail in status.Details)
        {
            if (detail.TryUnpack<ErrorInfo>(out var info)) refusal = refusal with { Reason = info.Reason, Metadata = info.Metadata };
            else if (detail.TryUnpack<BadRequest>(out var bad)) refusal = refusal with { Fields = [.. bad.FieldViolations.Select(violation => violation.Field)] };
            else if (detail.TryUnpack<StockShortage>(out var shortage)) refusal = refusal with { Shortages = [.. refusal.Shortages, shortage] };
            else if (detail.TryUnpack<RetryInfo>(out var retry)) refusal = refusal with { Retry = retry.RetryDelay.ToTimeSpan() };
        }
        return refusal;
    }
}
