// CustomerService: who buys. Thin.

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

    private (Customer Customer, SealedData Details) Find(string id)
    {
        var references = new References(calls.Reader);
        var number = references.Customer("customer_id", id);
        new Violations().ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.Customer(number, calls.Engine.View.DurableSequence, out var version);
        return body.IsEmpty
            ? throw Errors.Exception(ErrorReason.CustomerNotFound, ("field", "customer_id"), ("customer_id", id))
            : CatalogReads.Customer(body, version);
    }
}
