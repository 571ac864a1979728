"""The chart of accounts: where money can be. Debits are positive, and every entry sums to zero."""

from __future__ import annotations

from typing import Final

CASH: Final = "assets:cash"
HOLDS: Final = "assets:holds"  # cash kept for working orders
POSITIONS: Final = "assets:positions"  # at booked cost; negative for shorts
REALIZED: Final = "income:realized"
FEES: Final = "expenses:fees:"  # followed by the kind of fee
DEPOSITS: Final = "equity:deposits"
