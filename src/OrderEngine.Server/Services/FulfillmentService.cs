// FulfillmentService: driving accepted orders to their end, one report at a time or streamed. Thin.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;
using RpcStatus = Google.Rpc.Status;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.FulfillmentService.</summary>
internal sealed class FulfillmentService(EngineCalls calls) : V1.FulfillmentService.FulfillmentServiceBase
{
    /// <inheritdoc/>
    public override Task<FulfillmentResponse> ReleaseShipment(ReleaseShipmentRequest request, ServerCallContext context) =>
        ExecuteAsync(FulfillmentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<FulfillmentResponse> ConfirmShipment(ConfirmShipmentRequest request, ServerCallContext context) =>
        ExecuteAsync(FulfillmentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<FulfillmentResponse> RecallShipment(RecallShipmentRequest request, ServerCallContext context) =>
        ExecuteAsync(FulfillmentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<FulfillmentResponse> RecordLoss(RecordLossRequest request, ServerCallContext context) =>
        ExecuteAsync(FulfillmentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<FulfillmentResponse> RecordDelivery(RecordDeliveryRequest request, ServerCallContext context) =>
        ExecuteAsync(FulfillmentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task StreamStatusReports(
        IAsyncStreamReader<StreamStatusReportsRequest> requestStream, IServerStreamWriter<StreamStatusReportsResponse> responseStream, ServerCallContext context) =>
        new ReportStream(calls).RunAsync(requestStream, responseStream, context);

    private async Task<FulfillmentResponse> ExecuteAsync(Command command, ServerCallContext context) =>
        OrderAnswers.Fulfilled(await calls.ExecuteAsync(command, Lane.Priority, context));

    /// <summary>Reports in, results out.</summary>
    private sealed class ReportStream(EngineCalls calls) : CommandStream<StreamStatusReportsRequest, StatusReport, StreamStatusReportsResponse>(calls)
    {
        private readonly EngineCalls _calls = calls;

        protected override string ItemsPath => "reports";

        protected override IReadOnlyList<StatusReport> ItemsOf(StreamStatusReportsRequest request) => request.Reports;

        protected override ulong ClientSeqOf(StatusReport item) => item.ClientSeq;

        protected override Lane LaneOf(StatusReport first) => Lane.Priority;

        protected override ValueTask<Mapped<Command>> MapAsync(StatusReport item) => ValueTask.FromResult(item.ReportCase switch
        {
            StatusReport.ReportOneofCase.Release => FulfillmentRequests.Map(item.Release, _calls.Reader, _calls.Vault).AsCommand(),
            StatusReport.ReportOneofCase.Ship => FulfillmentRequests.Map(item.Ship, _calls.Reader, _calls.Vault).AsCommand(),
            StatusReport.ReportOneofCase.Deliver => FulfillmentRequests.Map(item.Deliver, _calls.Reader, _calls.Vault).AsCommand(),
            StatusReport.ReportOneofCase.Recall => FulfillmentRequests.Map(item.Recall, _calls.Reader, _calls.Vault).AsCommand(),
            StatusReport.ReportOneofCase.Lose => FulfillmentRequests.Map(item.Lose, _calls.Reader, _calls.Vault).AsCommand(),
            _ => Errors.InvalidField("report", "must be exactly one of release, ship, deliver, recall and lose"),
        });

        protected override int AddAccepted(StreamStatusReportsResponse response, ulong clientSeq, in CommandAnswer answer) =>
            Add(response, new StatusReportResult { ClientSeq = clientSeq, Accepted = OrderAnswers.Fulfilled(answer) });

        protected override int AddRefused(StreamStatusReportsResponse response, ulong clientSeq, RpcStatus refusal) =>
            Add(response, new StatusReportResult { ClientSeq = clientSeq, Refused = refusal });

        private static int Add(StreamStatusReportsResponse response, StatusReportResult result)
        {
            response.Results.Add(result);
            return result.CalculateSize();
        }
    }
}
