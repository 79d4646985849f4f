// CustomerService: who buys, and what they say afterwards. Thin.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.CustomerService.</summary>
internal sealed class CustomerService(EngineCalls calls) : V1.CustomerService.CustomerServiceBase
{
    /// <inheritdoc/>
    public override async Task<Customer> UpsertCustomer(UpsertCustomerRequest request, ServerCallContext context)
    {
        var command = (await CatalogRequests.MapAsync(request, calls.Reader, calls.Vault)).OrThrow();
        var answer = await calls.ExecuteAsync(command, Lane.Normal, context);
        if (answer.Event.IsEmpty) return Find(request.Customer.CustomerId).Customer;
        var defined = new EventView(answer.Event.Span);
        return CatalogReads.Customer(defined.Body, defined.Sequence).Customer;
    }

    /// <inheritdoc/>
    public override Task<Customer> GetCustomer(GetCustomerRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "customer_id", request.CustomerId);
        violations.ThrowIfAny();
        // Customers are the seller's, whichever channel brought them: what one channel knows of a person is not for another.
        if (request.IncludeDetails && Grant.Current.Caller.IsBound) throw Errors.Exception(ErrorReason.ScopeMissing);
        var (customer, details) = Find(request.CustomerId);
        if (request.IncludeDetails) customer.Details = calls.Vault.Unseal(details);
        return Task.FromResult(customer);
    }

    /// <inheritdoc/>
    public override async Task<Statement> GetStatement(GetStatementRequest request, ServerCallContext context)
    {
        var understood = StatementRequest.Read(request, calls.Reader, calls.Engine.NowMicros, calls.Engine.View.DurableSequence);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        var durable = calls.Engine.View.DurableSequence;
        if (calls.Reader.Customer(understood.Query.Customer, durable, out _).IsEmpty)
            throw Errors.Exception(ErrorReason.CustomerNotFound, ("field", "customer_id"), ("customer_id", request.CustomerId));
        return StatementReads.Statement(calls.Reader, request, in understood, durable);
    }

    /// <inheritdoc/>
    public override async Task<EraseResponse> EraseCustomer(EraseCustomerRequest request, ServerCallContext context) =>
        ErasureRequests.Erased(await calls.ExecuteAsync(ErasureRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<EraseResponse> EraseOrder(EraseOrderRequest request, ServerCallContext context) =>
        ErasureRequests.Erased(await calls.ExecuteAsync(ErasureRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<ComplaintResponse> OpenComplaint(OpenComplaintRequest request, ServerCallContext context)
    {
        var mapped = await ComplaintRequests.MapAsync(request, calls.Reader, calls.Vault);
        return ComplaintReads.Changed(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Normal, context));
    }

    /// <inheritdoc/>
    public override async Task<ComplaintResponse> AssignComplaint(AssignComplaintRequest request, ServerCallContext context) =>
        ComplaintReads.Changed(await calls.ExecuteAsync(ComplaintRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<ComplaintResponse> ResolveComplaint(ResolveComplaintRequest request, ServerCallContext context)
    {
        var mapped = await ComplaintRequests.MapAsync(request, calls.Reader, calls.Vault);
        return ComplaintReads.Changed(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Normal, context));
    }

    /// <inheritdoc/>
    public override async Task<Complaint> GetComplaint(GetComplaintRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "complaint_id", request.ComplaintId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var references = new References(calls.Reader);
        var number = references.Complaint("complaint_id", request.ComplaintId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        var complaint = Read(number, out var text, out var resolution) ?? throw Errors.Exception(ErrorReason.ComplaintNotFound, ("complaint_id", request.ComplaintId));
        if (!request.IncludeText) return complaint;
        complaint.Text = ComplaintReads.Text(calls.Vault, text);
        complaint.ResolutionText = ComplaintReads.Text(calls.Vault, resolution);
        return complaint;
    }

    /// <inheritdoc/>
    public override async Task<ListComplaintsResponse> ListComplaints(ListComplaintsRequest request, ServerCallContext context)
    {
        var list = ComplaintRequests.Map(request, calls.Reader);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        if (list.Query.Order != 0 && !calls.Reader.Order(list.Query.Order, at).Exists) throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));
        var page = calls.Reader.ListComplaints(list.Query, at, list.Token.A, list.Size, ServerLimits.ListLooks);
        var response = new ListComplaintsResponse { Sequence = at };
        foreach (var number in page.Numbers) response.Complaints.Add(ComplaintReads.Complaint(calls.Reader, number, at));
        if (page.After != 0) response.NextPageToken = (list.Token with { A = page.After }).ToString();
        return response;
    }

    /// <inheritdoc/>
    public override async Task<FeedbackResponse> RecordFeedback(RecordFeedbackRequest request, ServerCallContext context)
    {
        var mapped = await ComplaintRequests.MapAsync(request, calls.Reader, calls.Vault);
        return ComplaintReads.Recorded(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Normal, context));
    }

    private Complaint? Read(long number, out SealedData text, out SealedData resolution)
    {
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        text = resolution = default;
        if (!calls.Reader.Complaint(number, at).Exists) return null;
        (text, resolution) = ComplaintReads.SealedTexts(calls.Reader, number, at);
        return ComplaintReads.Complaint(calls.Reader, number, at);
    }

    private (Customer Customer, SealedData Details) Find(string id)
    {
        var references = new References(calls.Reader);
        var number = references.Customer("customer_id", id);
        new Violations().ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        var body = calls.Reader.Customer(number, at, out var version);
        if (body.IsEmpty) throw Errors.Exception(ErrorReason.CustomerNotFound, ("field", "customer_id"), ("customer_id", id));
        var found = CatalogReads.Customer(body, version);
        found.Customer.EraseTime = Texts.Time(calls.Reader.ErasedAt(number, at));
        return found;
    }
}
