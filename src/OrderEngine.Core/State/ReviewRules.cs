// The review rules as their event's body holds them (orderengine.journal.ReviewRulesDefined). Any thread: what is read is never changed.

using System.Text;
using OrderEngine.Core.Events;

namespace OrderEngine.Core.State;

/// <summary>Writes and reads review rules.</summary>
internal static class ReviewRules
{
    private const int RulesField = 3;

    /// <summary>Appends the rules to a body that begins with its number.</summary>
    public static void Write(EventBuffer body, ReviewRule[] rules)
    {
        Span<byte> currency = stackalloc byte[3];
        foreach (var rule in rules)
        {
            var nested = body.BeginNested(RulesField);
            body.Bytes(1, rule.Id);
            body.Number(2, (long)rule.Condition);
            body.Packed(3, rule.Channels);
            body.Number(4, rule.Amount);
            body.Bytes(5, currency[..Currency.Unpack(rule.CurrencyCode, currency)]);
            body.Number(6, rule.Threshold);
            foreach (var terms in rule.Terms) body.Number(7, (long)terms);
            foreach (var keyword in rule.Keywords) body.Bytes(8, Encoding.UTF8.GetBytes(keyword));
            body.EndNested(nested);
        }
    }

    /// <summary>The rules of a body, in order.</summary>
    public static ReviewRule[] Read(ReadOnlySpan<byte> body)
    {
        var rules = new List<ReviewRule>();
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == RulesField) rules.Add(ReadRule(reader.Bytes()));
            else reader.Skip(wireType);
        }
        return [.. rules];
    }

    private static ReviewRule ReadRule(ReadOnlySpan<byte> message)
    {
        byte[] id = [];
        var condition = ReviewCondition.None;
        var channels = new List<int>();
        long amount = 0;
        int currency = 0, threshold = 0;
        var terms = new List<PaymentTerms>();
        var keywords = new List<string>();
        var reader = new ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: id = reader.Bytes().ToArray(); break;
                case 2: condition = (ReviewCondition)reader.Varint(); break;
                case 3:
                    var list = new ProtoReader(reader.Bytes());
                    while (list.TryVarint(out var channel)) channels.Add(checked((int)channel));
                    break;
                case 4: amount = reader.Long(); break;
                case 5: currency = Currency.Pack(reader.Bytes()); break;
                case 6: threshold = reader.Int(); break;
                case 7: terms.Add((PaymentTerms)reader.Varint()); break;
                case 8: keywords.Add(Encoding.UTF8.GetString(reader.Bytes())); break;
                default: reader.Skip(wireType); break;
            }
        }
        return new ReviewRule(id, condition)
        {
            Channels = [.. channels], Amount = amount, CurrencyCode = currency, Threshold = threshold, Terms = [.. terms], Keywords = [.. keywords],
        };
    }
}
