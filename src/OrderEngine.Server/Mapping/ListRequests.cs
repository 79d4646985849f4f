// Requests for lists of orders and exceptions, and the end of an exception. Any thread.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Engine;
using OrderEngine.Server.Access;

namespace OrderEngine.Server.Mapping;

/// <summary>A list's request, understood.</summary>
/// <param name="Query">Which.</param>
/// <param name="Size">Entries of the page.</param>
/// <param name="Token">Where to go on: A = the last number looked at.</param>
internal readonly record struct ListRequest<T>(T Query, int Size, Token Token);

/// <summary>Maps requests for lists.</summary>
internal static class ListRequests
{
    /// <summary>A list of orders.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static ListRequest<OrderQuery> Map(ListOrdersRequest request, StateReader reader)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckOptionalId(ref violations, "channel_id", request.ChannelId);
        Fields.CheckOptionalId(ref violations, "customer_id", request.CustomerId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        Fields.CheckEnum(ref violations, "exception_kind", request.ExceptionKind);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var states = Choices<Contracts.V1.OrderState, Core.OrderState>(ref violations, "states", request.States, state => (Core.OrderState)state);
        if (Fields.CheckCount(ref violations, "tiers", request.Tiers.Count, 0, ServerLimits.ListChoices))
        {
            for (var i = 0; i < request.Tiers.Count; i++) Fields.CheckRange(ref violations, new FieldPath("tiers", i), request.Tiers[i], 0, Limits.Tier);
        }
        var query = new OrderQuery
        {
            Channel = request.ChannelId.Length == 0 ? Grant.Current.Caller.Narrow(0) : references.Channel("channel_id", request.ChannelId),
            Customer = references.Customer("customer_id", request.CustomerId),
            States = states,
            Tiers = [.. request.Tiers.Distinct()],
            WithException = request.WithException,
            Exception = (Core.ExceptionKind)request.ExceptionKind,
            Since = Fields.Time(ref violations, "accepted_since", request.AcceptedSince),
            Before = Fields.Time(ref violations, "accepted_before", request.AcceptedBefore),
            OldestFirst = request.OldestFirst,
        };
        // A token is good for the filter and the order that it was given for.
        var plain = new ListOrdersRequest(request) { PageSize = 0, PageToken = "", MinSequence = 0 };
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.OrderList, Scope(plain));
        violations.ThrowIfAny(references);
        return new ListRequest<OrderQuery>(query, size, token);
    }

    /// <summary>An export of orders, and the token to go on with; <see cref="Token.A"/> and the scope are 0 when a new one is to begin.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static (OrderQuery Query, Token Token) Map(ExportOrdersRequest request, StateReader reader)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckOptionalId(ref violations, "channel_id", request.ChannelId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var query = new OrderQuery
        {
            Channel = request.ChannelId.Length == 0 ? Grant.Current.Caller.Narrow(0) : references.Channel("channel_id", request.ChannelId),
            States = Choices<Contracts.V1.OrderState, Core.OrderState>(ref violations, "states", request.States, state => (Core.OrderState)state),
            Since = Fields.Time(ref violations, "accepted_since", request.AcceptedSince),
            Before = Fields.Time(ref violations, "accepted_before", request.AcceptedBefore),
        };
        var token = Token.ReadResume(ref violations, "resume_token", request.ResumeToken, TokenKind.OrderExport, 0);
        violations.ThrowIfAny(references);
        return (query, token);
    }

    /// <summary>A list of exceptions.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static ListRequest<ExceptionQuery> Map(ListExceptionsRequest request, StateReader reader)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckOptionalId(ref violations, "order_id", request.OrderId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        Fields.CheckEnum(ref violations, "owner", request.Owner);
        Fields.CheckEnum(ref violations, "kind", request.Kind);
        Fields.CheckEnum(ref violations, "state", request.State);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var query = new ExceptionQuery
        {
            Grades = Choices<Contracts.V1.Grade, Core.Grade>(ref violations, "grades", request.Grades, grade => (Core.Grade)grade),
            Owner = (Core.Role)request.Owner,
            Kind = (Core.ExceptionKind)request.Kind,
            Order = request.OrderId.Length == 0 ? 0 : references.Order("order_id", request.OrderId),
            Open = request.State switch
            {
                ExceptionState.Any => null,
                ExceptionState.Resolved => false,
                _ => true,
            },
            OldestFirst = request.OldestFirst,
        };
        var plain = new ListExceptionsRequest(request) { PageSize = 0, PageToken = "", MinSequence = 0 };
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Exceptions, Scope(plain));
        violations.ThrowIfAny(references);
        return new ListRequest<ExceptionQuery>(query, size, token);
    }

    /// <summary>The end of an exception.</summary>
    public static Mapped<ResolveException> Map(ResolveExceptionRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ResolveException, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "exception_id", request.ExceptionId);
        var exception = references.Exception("exception_id", request.ExceptionId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var resolution = Fields.Text(ref violations, "resolution", request.Resolution, Limits.ExceptionTextBytes);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ResolveException
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Exception = exception, Resolution = resolution,
        };
    }

    /// <summary>What a page's token belongs to: everything that is asked for but the page.</summary>
    public static ulong Scope(IMessage plain) => StableHash.Of(plain.ToByteArray());

    private static TCore[] Choices<TWire, TCore>(ref Violations violations, string path, IReadOnlyList<TWire> list, Func<TWire, TCore> map) where TWire : struct, Enum
    {
        if (!Fields.CheckCount(ref violations, path, list.Count, 0, ServerLimits.ListChoices)) return [];
        for (var i = 0; i < list.Count; i++)
        {
            Fields.CheckEnum(ref violations, new FieldPath(path, i), list[i]);
            if (EqualityComparer<TWire>.Default.Equals(list[i], default)) violations.Add(new FieldPath(path, i), "must not be unspecified");
        }
        return [.. list.Distinct().Select(map)];
    }
}
