// The protocol's rules for headers and trailers.

using Grpc.Core;
using Xunit;

namespace OrderEngine.Feed.Tests;

public class MetadataTests
{
    [Theory]
    [InlineData("x-request-id", "x-request-id")]
    [InlineData("Authorization", "authorization")]
    [InlineData("a.b_c-9", "a.b_c-9")]
    public void A_key_is_kept_in_lower_case(string key, string kept) => Assert.Equal(kept, new Metadata.Entry(key, "v").Key);

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData(":path")]
    [InlineData("line\nbreak")]
    [InlineData("größe")]
    [InlineData("a/b")]
    [InlineData("\u212a")]
    public void A_key_with_another_character_is_refused(string key)
    {
        Assert.Throws<ArgumentException>(nameof(key), () => new Metadata.Entry(key, "v"));
        Assert.Throws<ArgumentException>(nameof(key), () => new Metadata.Entry(key + "-\u00e9-bin", [1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ~")]
    [InlineData("Bearer abc=,;\"")]
    public void Printable_ASCII_is_a_text(string value)
    {
        var entry = new Metadata.Entry("k", value);
        Assert.Equal(value, entry.Value);
        Assert.False(entry.IsBinary);
        Assert.Equal(value.Select(c => (byte)c), entry.ValueBytes);
    }

    [Theory]
    [InlineData("é")]
    [InlineData("a\r\nx-forged: 1")]
    [InlineData("a\tb")]
    [InlineData("\u007f")]
    [InlineData("\u001f")]
    [InlineData("\0")]
    [InlineData("日本")]
    public void Any_other_text_is_refused(string value) =>
        Assert.Throws<ArgumentException>(nameof(value), () => new Metadata().Add("k", value));

    [Fact]
    public void The_suffix_of_the_key_decides_between_text_and_bytes()
    {
        Assert.Throws<ArgumentException>("key", () => new Metadata.Entry("k-bin", "text"));
        Assert.Throws<ArgumentException>("key", () => new Metadata.Entry("k", [1]));
        var entry = new Metadata.Entry("K-BIN", [1, 2]);
        Assert.True(entry.IsBinary);
        Assert.Throws<InvalidOperationException>(() => entry.Value);
        Assert.Equal("k-bin: AQI=", entry.ToString());
        Assert.Equal("k: v", new Metadata.Entry("k", "v").ToString());
    }

    [Fact]
    public void Bytes_are_copied_in_and_out()
    {
        byte[] given = [1, 2, 3];
        var entry = new Metadata.Entry("k-bin", given);
        given[0] = 9;
        entry.ValueBytes[1] = 9;
        Assert.Equal([1, 2, 3], entry.ValueBytes);
    }

    [Fact]
    public void Nulls_are_refused()
    {
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry(null!, "v"));
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry("k", (string)null!));
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry("k-bin", (byte[])null!));
        Assert.Throws<ArgumentNullException>(() => new Metadata().Add(null!));
    }

    [Fact]
    public void Of_several_entries_with_a_key_the_last_one_is_found()
    {
        var metadata = new Metadata { { "a", "1" }, { "b", "x" }, { "a", "2" }, { "c-bin", [7] } };
        Assert.Equal("2", metadata.GetValue("a"));
        Assert.Equal(["1", "2"], metadata.GetAll("a").Select(e => e.Value));
        Assert.Equal([7], metadata.GetValueBytes("c-bin"));
        Assert.Null(metadata.Get("z"));
        Assert.Null(metadata.GetValue("z"));
        Assert.Null(metadata.GetValueBytes("z"));
        Assert.Empty(metadata.GetAll("z"));
    }

    [Fact]
    public void It_is_a_list()
    {
        var (a, b, c) = (new Metadata.Entry("a", "1"), new Metadata.Entry("b", "2"), new Metadata.Entry("c", "3"));
        var metadata = new Metadata { a, c };
        metadata.Insert(1, b);
        Assert.Equal([a, b, c], metadata);
        metadata[0] = c;
        Assert.Equal(0, metadata.IndexOf(c));
        metadata.RemoveAt(0);
        Assert.True(metadata.Remove(b));
        Assert.False(metadata.Remove(b));
        Assert.Contains(c, metadata);
        var copy = new Metadata.Entry[1];
        metadata.CopyTo(copy, 0);
        Assert.Same(c, copy[0]);
        metadata.Clear();
        Assert.Empty(metadata);
        Assert.False(metadata.IsReadOnly);
    }

    [Fact]
    public void The_shared_empty_one_cannot_be_changed()
    {
        Assert.True(Metadata.Empty.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "1"));
        Assert.Throws<InvalidOperationException>(Metadata.Empty.Clear);
        Assert.Empty(Metadata.Empty);
    }
}
