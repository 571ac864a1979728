"""Models of your own: slippage that grows with the order, and a fill model that leaves some of each size to others.

A model answers one number about one candidate fill. It can only make the fill worse; whatever it says, the price stays
on the tick, inside the band, above zero, and a limit price is never broken.
"""

from decimal import Decimal

import papertrade as pt
from papertrade.matching.models import Candidate


class SizeSlippage:
    """A cent for every ``step`` units of the fill."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.name = f"a cent per {step}"

    def slip(self, candidate: Candidate) -> Decimal:
        """The amount against the trader."""
        return candidate.quantity // self.step * Decimal("0.01")


class LeaveHalf:
    """Takes at most half of what a rule would give."""

    name = "half of it"

    def quantity(self, candidate: Candidate) -> Decimal:
        """From 0 to the candidate's quantity; it is cut to whole lots."""
        return candidate.quantity // 2


def trade(fill: pt.FillSettings) -> pt.PaperBroker:
    """The same two orders under some settings."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", fill=fill)
    broker.on_quote("ABC", "99.98", "100.02", 1_000, 1_000, at="2026-01-05T14:30:00Z")
    broker.buy("ABC", 400)
    broker.buy("ABC", 200, limit_price="100.02")
    return broker


def main() -> None:
    settings = {
        "as the rules say": pt.FillSettings(),
        "slippage by size": pt.FillSettings(slippage=SizeSlippage(100)),
        "half of each size": pt.FillSettings(fill_model=LeaveHalf()),
    }
    for title, fill in settings.items():
        broker = trade(fill)
        print(f"{title}  ({broker.fills()[0].model})")
        for done in broker.fills():
            moved = abs(done.price - done.base_price)
            print(f"  {done.order_id} {done.quantity:f} at {done.price:f}, moved by {moved:f}, rule {done.rule}")


if __name__ == "__main__":
    main()
