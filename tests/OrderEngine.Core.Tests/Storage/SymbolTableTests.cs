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
        var table = new SymbolTable(new RowHeap());
        var model = new Dictionary<string, int>();
        for (var step = 0; step < 20_000; step++)
        {
            var text = random.Next(3) == 0 ? $"SKU-{random.Next(5000)}" : new string((char)('a' + random.Next(26)), random.Next(1, 100)) + random.Next(50);
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
        var table = new SymbolTable(new RowHeap());
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
        var table = new SymbolTable(new RowHeap());
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
        var table = new SymbolTable(new RowHeap());
        var wrong = 0;
        var reader = new Thread(() =>
        {
            var random = new Random(61);
            for (int count; (count = table.Count) < Texts;)
            {
                if (count == 0) continue;
                // The newest may not be in the index yet; it has its text already.
                var number = random.Next(4) == 0 ? count : random.Next(1, count + 1);
                var text = Utf8($"text {number}");
                if (!table.Text(number).SequenceEqual(text)) Interlocked.Increment(ref wrong);
                if (number < count && table.Find(text) != number) Interlocked.Increment(ref wrong);
            }
        });
        reader.Start();
        for (var number = 1; number <= Texts; number++) Assert.Equal(number, table.Add(Utf8($"text {number}")));
        reader.Join();
        Assert.Equal(0, wrong);
    }
}
