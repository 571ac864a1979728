"""Risk limits: orders that are refused, a daily loss that latches, and what still passes afterwards."""

import papertrade as pt


def main() -> None:
    limits = pt.RiskLimits(max_order_notional=10_000, max_position=150, max_daily_loss=300)
    broker = pt.open_paper_broker(cash=50_000, clock="data", limits=limits)
    broker.on_quote("ABC", "99.98", "100.02", at="2026-01-05T14:30:00Z")

    print("An order that is too large is refused with the numbers that were compared:")
    print(f"  {broker.explain(broker.buy('ABC', 120))}")

    broker.buy("ABC", 90)
    print("\nSo is one that could grow the position past its limit:")
    print(f"  {broker.explain(broker.buy('ABC', 61))}")

    entry = broker.buy("ABC", 10, limit_price="95.00")
    print("\nThe market falls; the loss of the day reaches its limit and latches:")
    broker.on_quote("ABC", "96.50", "96.54", at="2026-01-05T14:31:00Z")
    for event in broker.events(kinds=("limit_latched", "order_canceled")):
        print(f"  {event!r}")
    print(f"  {broker.order(entry)!r}")

    print("\nWhat could enlarge a position is refused, what reduces it passes:")
    print(f"  {broker.buy('ABC', 1)!r}")
    print(f"  {broker.sell('ABC', 40)!r}")

    broker.on_quote("ABC", "99.00", "99.04", at="2026-01-05T14:32:00Z")
    broker.reset_limit("max_daily_loss")
    print("\nThe market recovers; after a reset by hand (a new day would do it too) everything passes again:")
    print(f"  latched: {broker.account().latched or 'nothing'}")
    print(f"  {broker.buy('ABC', 1)!r}")


if __name__ == "__main__":
    main()
