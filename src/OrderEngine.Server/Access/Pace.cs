// So much a second, as one number. Whoever holds it keeps others from changing it meanwhile.

namespace OrderEngine.Server.Access;

/// <summary>Turns at equal distances, of which some may be used at once. All it knows is when the turns that were given away end.</summary>
internal struct Pace
{
    private long _until;

    /// <summary>Ticks of the clock until the next turn; 0: it is there.</summary>
    /// <param name="now">The clock's time.</param>
    /// <param name="frequency">Its ticks in a second.</param>
    /// <param name="perSecond">Turns in a second.</param>
    /// <param name="atOnce">Turns that may be used at once, 1 or more.</param>
    public readonly long Next(long now, long frequency, int perSecond, int atOnce) => Math.Max(0, Math.Max(_until, now) - now - (atOnce - 1) * (frequency / perSecond));

    /// <summary>Gives a turn away.</summary>
    public void Take(long now, long frequency, int perSecond) => _until = Math.Max(_until, now) + frequency / perSecond;

    /// <summary>True: as good as new.</summary>
    public readonly bool IsUnused(long now) => _until <= now;
}
