// Requests about complaints and feedback, to commands and queries. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps complaints and feedback. Texts are sealed once everything else is sound.</summary>
internal static class ComplaintRequests
{
    /// <summary>A new complaint.</summary>
    public static ValueTask<Mapped<OpenComplaint>> MapAsync(OpenComplaintRequest request, StateReader reader, PersonalVault vault) =>
        OrderPerson.WithTextAsync(Read(request, reader, vault), open => open.Order, request.Text, reader, vault);

    /// <summary>Who looks into a complaint.</summary>
    public static Mapped<AssignComplaint> Map(AssignComplaintRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.AssignComplaint, request.RequestId, request.Actor);
        var references = new References(reader);
        var complaint = Complaint(ref violations, ref references, request.ComplaintId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        Fields.CheckChosen(ref violations, "owner", request.Owner);
        var assignee = Fields.OptionalId(ref violations, "assignee", request.Assignee);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new AssignComplaint
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Complaint = complaint, Owner = (Core.Role)request.Owner, Assignee = assignee,
        };
    }

    /// <summary>The end of a complaint.</summary>
    public static ValueTask<Mapped<ResolveComplaint>> MapAsync(ResolveComplaintRequest request, StateReader reader, PersonalVault vault) =>
        OrderPerson.WithTextAsync(Read(request, reader, vault), resolve => OrderOf(reader, resolve.Complaint), request.Text, reader, vault);

    /// <summary>Feedback.</summary>
    public static ValueTask<Mapped<RecordFeedback>> MapAsync(RecordFeedbackRequest request, StateReader reader, PersonalVault vault) =>
        OrderPerson.WithTextAsync(Read(request, reader, vault), feedback => feedback.Order, request.Text, reader, vault);

    /// <summary>A list of complaints.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static ListRequest<ComplaintQuery> Map(ListComplaintsRequest request, StateReader reader)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckOptionalId(ref violations, "order_id", request.OrderId);
        Fields.CheckOptionalId(ref violations, "customer_id", request.CustomerId);
        Fields.CheckEnum(ref violations, "category", request.Category);
        Fields.CheckEnum(ref violations, "owner", request.Owner);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var query = new ComplaintQuery(request.OrderId.Length == 0 ? 0 : references.Order("order_id", request.OrderId), references.Customer("customer_id", request.CustomerId),
            request.OpenOnly, (Core.ComplaintCategory)request.Category, (Core.Role)request.Owner);
        var plain = new ListComplaintsRequest(request) { PageSize = 0, PageToken = "", MinSequence = 0 };
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Complaints, ListRequests.Scope(plain));
        violations.ThrowIfAny(references);
        return new ListRequest<ComplaintQuery>(query, size, token);
    }

    private static Mapped<OpenComplaint> Read(OpenComplaintRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.OpenComplaint, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        Fields.CheckChosen(ref violations, "category", request.Category);
        if (request.Text.Length == 0) violations.Add("text", "is required");
        Fields.CheckText(ref violations, "text", request.Text, Limits.PersonalNoteBytes);
        Fields.CheckEnum(ref violations, "owner", request.Owner);
        var withReturn = Return(ref violations, ref references, request.ReturnId);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new OpenComplaint
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order, Category = (Core.ComplaintCategory)request.Category,
            Owner = request.Owner == Contracts.V1.Role.Unspecified ? Core.Role.Support : (Core.Role)request.Owner, Return = withReturn,
        };
    }

    private static Mapped<ResolveComplaint> Read(ResolveComplaintRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ResolveComplaint, request.RequestId, request.Actor);
        var references = new References(reader);
        var complaint = Complaint(ref violations, ref references, request.ComplaintId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        Fields.CheckChosen(ref violations, "resolution", request.Resolution);
        Fields.CheckText(ref violations, "text", request.Text, Limits.PersonalNoteBytes);
        var withReturn = Return(ref violations, ref references, request.ReturnId);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ResolveComplaint
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Complaint = complaint, Resolution = (Core.ComplaintResolution)request.Resolution, Return = withReturn,
        };
    }

    private static Mapped<RecordFeedback> Read(RecordFeedbackRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecordFeedback, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        Fields.CheckRange(ref violations, "rating", request.Rating, 1, Limits.Rating);
        Fields.CheckText(ref violations, "text", request.Text, Limits.PersonalNoteBytes);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecordFeedback
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order, Rating = request.Rating,
        };
    }

    private static long Complaint(ref Violations violations, ref References references, string id)
    {
        Fields.CheckId(ref violations, "complaint_id", id);
        return references.Complaint("complaint_id", id);
    }

    private static long Return(ref Violations violations, ref References references, string id)
    {
        Fields.CheckOptionalId(ref violations, "return_id", id);
        return id.Length == 0 ? 0 : references.Return("return_id", id);
    }

    private static long OrderOf(StateReader reader, long complaint)
    {
        using var guard = reader.Enter();
        var view = reader.Complaint(complaint, long.MaxValue);
        return view.Exists ? view.Head.Order : 0;
    }
}
