// The fake of ReturnService; see FakeServices.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

internal sealed class FakeReturns : ReturnService.ReturnServiceBase
{
    public Func<RequestReturnRequest, Return>? OnRequest { get; set; }

    public Func<ApproveReturnRequest, Return>? OnApprove { get; set; }

    public Func<ReceiveReturnRequest, Return>? OnReceive { get; set; }

    public Func<CloseReturnRequest, Return>? OnClose { get; set; }

    public Func<GetReturnRequest, Return>? OnGet { get; set; }

    public override Task<Return> RequestReturn(RequestReturnRequest request, ServerCallContext context) => Fake.Answer(OnRequest, request);

    public override Task<Return> ApproveReturn(ApproveReturnRequest request, ServerCallContext context) => Fake.Answer(OnApprove, request);

    public override Task<Return> ReceiveReturn(ReceiveReturnRequest request, ServerCallContext context) => Fake.Answer(OnReceive, request);

    public override Task<Return> CloseReturn(CloseReturnRequest request, ServerCallContext context) => Fake.Answer(OnClose, request);

    public override Task<Return> GetReturn(GetReturnRequest request, ServerCallContext context) => Fake.Answer(OnGet, request);
}
