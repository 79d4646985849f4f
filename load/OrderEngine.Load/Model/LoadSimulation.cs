// How load is put on: NBomber's load simulations, under their names. Data only; Running/ turns them into arrivals and copies.

namespace OrderEngine.Load.Model;

/// <summary>One stretch of load.</summary>
/// <param name="During">How long it lasts.</param>
/// <param name="Phase">Its name in reports and thresholds.</param>
public abstract record LoadSimulation(TimeSpan During, string Phase)
{
    /// <summary>Open loop at a fixed rate (runs of the scenario a second), whether answers come or not.</summary>
    public static LoadSimulation Inject(double rate, TimeSpan during, string phase = "inject") => new Inject(rate, during, phase);

    /// <summary>Open loop at a rate that is a part or multiple of what an earlier closed-loop phase reached.</summary>
    public static LoadSimulation InjectRelative(double factor, string toPhase, TimeSpan during, string phase) =>
        new Inject(factor, during, phase) { RelativeTo = toPhase };

    /// <summary>Open loop at a rate that goes evenly from that of the stretch before (0 at first) to <paramref name="rate"/>.</summary>
    public static LoadSimulation RampingInject(double rate, TimeSpan during, string phase = "ramping-inject") => new RampingInject(rate, during, phase);

    /// <summary>Closed loop: so many copies, each sending again when it was answered.</summary>
    public static LoadSimulation KeepConstant(int copies, TimeSpan during, string phase = "keep-constant") => new KeepConstant(copies, during, phase);

    /// <summary>Closed loop with copies added (or ended) evenly until there are <paramref name="copies"/>.</summary>
    public static LoadSimulation RampingConstant(int copies, TimeSpan during, string phase = "ramping-constant") =>
        new RampingConstant(copies, during, phase);

    /// <summary>Nothing is sent.</summary>
    public static LoadSimulation Pause(TimeSpan during, string phase = "pause") => new Pause(during, phase);
}

/// <inheritdoc cref="LoadSimulation.Inject"/>
public sealed record Inject(double Rate, TimeSpan During, string Phase) : LoadSimulation(During, Phase)
{
    /// <summary>When set: <see cref="Rate"/> is a factor of the runs a second that this phase reached.</summary>
    public string? RelativeTo { get; init; }
}

/// <inheritdoc cref="LoadSimulation.RampingInject"/>
public sealed record RampingInject(double Rate, TimeSpan During, string Phase) : LoadSimulation(During, Phase);

/// <inheritdoc cref="LoadSimulation.KeepConstant"/>
public sealed record KeepConstant(int Copies, TimeSpan During, string Phase) : LoadSimulation(During, Phase);

/// <inheritdoc cref="LoadSimulation.RampingConstant"/>
public sealed record RampingConstant(int Copies, TimeSpan During, string Phase) : LoadSimulation(During, Phase);

/// <inheritdoc cref="LoadSimulation.Pause"/>
public sealed record Pause(TimeSpan During, string Phase) : LoadSimulation(During, Phase);
