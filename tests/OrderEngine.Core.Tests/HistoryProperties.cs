// Proves: after any command, core and naive model give the same outcome and hold the same state; a core that is fed the events of another
// holds the same state, shows the same and goes on the same. FsCheck makes histories of seeds, one a step, and shrinks a failing one.
//
//   ORDERENGINE_HISTORIES=n         run n histories instead of the default (each of StepsPerHistory commands)
//   ORDERENGINE_REPLAY=seed,gamma   run what a failure printed as its replay again
//   ORDERENGINE_DRAW=true           other histories than the last time; otherwise they are always the same, so that a change is judged by them

using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using OrderEngine.Core.Tests.Histories;
using Xunit;
using Xunit.Abstractions;

namespace OrderEngine.Core.Tests;

public sealed class HistoryProperties(ITestOutputHelper output)
{
    private const int DefaultHistories = 300;
    private const int StepsPerHistory = 420;
    private const ulong UsualSeed = 20_260_101;
    private const ulong UsualGamma = 0x9E37_79B9_7F4A_7C15; // odd, as a gamma must be

    private static readonly int Histories = int.Parse(Environment.GetEnvironmentVariable("ORDERENGINE_HISTORIES") ?? $"{DefaultHistories}", CultureInfo.InvariantCulture);

    [Fact]
    public void Core_and_naive_model_agree_after_every_command()
    {
        var tally = new Tally();
        Check.One(Configuration(Histories), Prop.ForAll(Steps(StepsPerHistory), steps =>
        {
            var history = new History(tally);
            foreach (var seed in steps) history.Step(seed);
            history.Turn();
            StateComparison.Whole(history.Core, history.Model);
            history.Seal();
            history.TallyWhole();
        }));
        output.WriteLine(tally.ToString());

        tally.AtLeast(Histories * 400L, "commands");
        tally.AtLeast(Histories * 3L, "outcome RoleNotAllowed", "outcome ExternalIdTaken", "outcome OutOfStock", "outcome IllegalTransition", "outcome ReservationNotHeld", "outcome ReservationNotFound",
            "outcome EtagMismatch", "outcome QuantityNotAvailable", "outcome StockBelowCommitted", "fills", "accepted waiting", "accepted in part", "same SKU on several lines");
        tally.AtLeast(Histories / 3, "outcome OrderNotFound", "outcome NotCancellable", "outcome RequestIdReused", "replayed Ok", "replayed OutOfStock", "expired in a turn",
            "lines over 2 locations", "reservation Expired", "reservation Committed", "reservation Released", "state Cancelled", "state Shipped",
            "state PartiallyShipped", "state Fulfilling", "state Ready", "state PartiallyReserved", "state PendingReview", "state Rejected",
            "ApproveOrder Ok", "RejectOrder Ok", "outcome ChannelLimitExceeded");
        tally.AtLeast(Histories * 2L, "overtakings");
        tally.AtLeast(Histories / 10, "CloseReturn Ok", "RejectReturn Ok", "ReceiveReturn Ok");
        tally.AtLeast(Histories / 10, "outcome NotReturnable", "outcome IllegalReturnTransition", "outcome NotExpected");
        tally.AtLeast(Histories / 50, "SendReturn Ok", "RecordRepair Ok", "ShipBackReturn Ok", "exchanges", "outcome ReturnNotFound", "outcome ReturnIdTaken", "outcome RepairNotDone");
        tally.AtLeast(Histories / 50, "outcome ReleasedToWarehouse", "RecallShipment Ok", "RecordLoss Ok", "outcome ParcelNotFound", "state Lost");
        tally.AtLeast(Histories / 10, "ResolveException Ok", "outcome ExceptionNotOpen", "outcome ExceptionNotFound");
        tally.AtLeast(Histories / 10, "AmendOrder Ok", "AmendLines Ok", "AmendLines OutOfStock", "outcome NotAmendable", "PlaceHold Ok", "ReleaseHold Ok", "outcome OrderOnHold",
            "lines over 3 locations", "state Backordered", "filled ahead of a command", "outcome ReservationMismatch",  "replayed IllegalTransition", "replayed ExternalIdTaken");
        tally.AtLeast(Histories / 100, "outcome OrderNotComplete", "earmarked");
        tally.AtLeast(Histories / 10, "filled whole", "looked at what was added", "promises made", "promises moved", "supply request answered", "supply request open, Transfer",
            "supply request open, Purchase");
        tally.AtLeast(Histories / 30, "outcome SupplyRequestNotFound", "outcome SupplyRequestMismatch");
        tally.AtLeast(Histories / 10, "SetDeadlines Ok", "reminded Release", "reminded Delivery", "reminded Stall", "reminded Payment", "reminded Reservation", "missed Release", "missed Delivery", "missed Stall");
        tally.AtLeast(Histories / 10, "missed Balance", "reminded Balance", "missed ReturnClose", "missed ReturnArrival", "windows over with a return open",
            "resolved by the engine", "raised RefundDue", "raised LateMoney");
        tally.AtLeast(Histories / 50, "exchanges credited");
        tally.AtLeast(Histories / 30, "shortfalls over", "shortfall Medium", "shortfall High");
        tally.AtLeast(Histories / 50, "held by an amendment for Risk", "raised ReviewDue", "outcome PaymentOutstanding");
        tally.AtLeast(Histories / 300, "AmendLines ChannelLimitExceeded", "held by an amendment for Credit");
        tally.AtLeast(Histories / 50, "reorders", "deallocations", "AnnounceIncoming Ok", "TransferStock Ok");
        tally.AtLeast(Histories / 50, "outcome IncomingClosed", "outcome IncomingMismatch", "outcome TransferExceeded", "outcome IncomingNotFound", "replayed StockBelowCommitted");
        tally.AtLeast(Histories / 10, "RecordPayment Ok", "RecordRefund Ok", "outcome PaymentReferenceTaken", "outcome PaymentCurrencyMismatch", "outcome RefundExceedsPaid",
            "state AwaitingPayment", "state Expired", "state Completed", "reinstated", "over the credit limit");
        tally.AtLeast(Histories / 10, "ConfirmOrder Ok", "AddNote Ok", "outcome NothingToConfirm", "OpenComplaint Ok", "AssignComplaint Ok", "ResolveComplaint Ok", "RecordFeedback Ok");
        tally.AtLeast(Histories / 10, "EraseCustomer Ok", "EraseOrder Ok", "outcome PersonErased", "outcome PersonalKeyRaced", "outcome NotAGuestOrder");
        tally.AtLeast(Histories / 50, "outcome ComplaintClosed", "outcome ComplaintNotFound", "outcome ComplaintReturnMismatch", "outcome FeedbackGiven", "replayed NothingToConfirm");
        tally.AtLeast(Histories / 50, "outcome StockOverflow", "lines over 4 locations", "outcome HoldAlreadyOpen", "outcome HoldNotOpen");
    }

    internal static Arbitrary<int[]> Steps(int count) =>
        Arb.From(Gen.Choose(int.MinValue, int.MaxValue).ArrayOf(count), Shorter);

    internal static Config Configuration(int histories)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(histories).WithQuietOnSuccess(true);
        if (Environment.GetEnvironmentVariable("ORDERENGINE_REPLAY") is not { } replay)
            return Environment.GetEnvironmentVariable("ORDERENGINE_DRAW") == "true" ? config : config.WithReplay(UsualSeed, UsualGamma);
        var parts = replay.Trim('(', ')').Split(',');
        return config.WithReplay(ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture)).WithMaxTest(1);
    }

    // A failing history is shortened by leaving out ever smaller pieces, from its end; down to a 32nd, which is a few steps in the end.
    private static IEnumerable<int[]> Shorter(int[] steps)
    {
        for (var piece = steps.Length / 2; piece > steps.Length / 32; piece /= 2)
            for (var at = steps.Length - piece; at >= 0; at -= piece)
                yield return [.. steps[..at], .. steps[(at + piece)..]];
    }
}
