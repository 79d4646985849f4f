// Proves: a text has one number for ever, numbers are dense, and readers may look texts up while others are added.

using System.Text;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class SymbolTableTests
{
    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    [Theory]
    [InlineData(51)]
    [InlineData(52)]
    public void Random_texts_match_a_dictionary(int seed)
    {
        var random = new Random(seed);
        var table = new SymbolTable(new RowHeap(), KeyedHash.Known);
        var model = new Dictionary<string, int>();
        for (var step = 0; step < 20_000; step++)
        {
            var text = random.Next(3) == 0
                ? $"SKU-{random.Next(5000)}"
                : new string((char)('a' + random.Next(26)), random.Next(1, 100)) + random.Next(50);
            Assert.Equal(model.GetValueOrDefault(text), table.Find(Utf8(text)));
            if (random.Next(2) == 0) continue;
            if (!model.TryGetValue(text, out var number)) model[text] = number = model.Count + 1;
            Assert.Equal(number, table.Add(Utf8(text)));
            Assert.Equal(model.Count, table.Count);
        }
        foreach (var (text, number) in model)
        {
            Assert.Equal(text, Encoding.UTF8.GetString(table.Text(number)));
            Assert.Equal(number, table.Find(Utf8(text)));
        }
    }

    [Fact]
    public void Texts_compare_by_code_point()
    {
        var table = new SymbolTable(new RowHeap(), KeyedHash.Known);
        string[] texts = ["B", "a", "ab", "b", "Ä", "\uFFFD", "\U0001F600"];
        var numbers = texts.Reverse().Select(t => table.Add(Utf8(t))).ToList();
        numbers.Sort(table.CompareOrdinal);
        Assert.Equal(texts, numbers.Select(n => Encoding.UTF8.GetString(table.Text(n))));
        Assert.True(table.CompareOrdinal(0, numbers[0]) < 0);
        Assert.Equal(0, table.CompareOrdinal(numbers[3], numbers[3]));
    }

    [Fact]
    public void The_empty_text_is_number_zero_and_the_bounds_hold()
    {
        var table = new SymbolTable(new RowHeap(), KeyedHash.Known);
        Assert.Equal((0, 0, 0), (table.Add([]), table.Find([]), table.Count));
        Assert.True(table.Text(0).IsEmpty);
        Assert.Throws<ArgumentOutOfRangeException>(() => { table.Text(1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { table.Text(-1); });
        Assert.Equal(1, table.Add(new byte[SymbolTable.MaxBytes]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Add(new byte[SymbolTable.MaxBytes + 1]));
    }

    [Fact]
    public void Readers_see_whole_texts_while_others_are_added()
    {
        const int Texts = 100_000;
        var table = new SymbolTable(new RowHeap(), KeyedHash.Known);
        var beside = new Beside();
        beside.Run(Write, readerCount: 1, _ => Read());

        void Write()
        {
            for (var number = 1; number <= Texts; number++) Assert.Equal(number, table.Add(Utf8($"text {number}")));
        }

        void Read()
        {
            var random = new Random(61);
            while (!beside.IsOver)
            {
                var count = table.Count;
                // Half of the looks are at the newest and at those to come: in the index they may be or not be yet.
                var number = random.Next(2) == 0 ? count + random.Next(3) : random.Next(count + 1);
                var text = Utf8($"text {number}");
                var found = table.Find(text);
                if (found != number && (found != 0 || (number != 0 && number < count)))
                    beside.Report($"found {found} for {number} of {count}");
                if (number > 0 && number <= count && !table.Text(number).SequenceEqual(text)) beside.Report($"text of {number} of {count}");
            }
        }
    }
}
