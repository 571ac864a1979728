"""What a position is kept under: its symbol, and its product where the account has products.

A key is text, so that it sorts, and stands wherever a symbol stood: in the holdings of a closed day, in snapshots. The
dot between the two is in no name, because names are ASCII.
"""

from __future__ import annotations

from typing import Final

DOT: Final = "\N{MIDDLE DOT}"


def position_key(symbol: str, product: str) -> str:
    """The key of a position; the symbol itself where there is no product."""
    return f"{symbol}{DOT}{product}" if product else symbol


def split_key(key: str) -> tuple[str, str]:
    """The symbol and the product of a key."""
    symbol, _, product = key.partition(DOT)
    return symbol, product


def titled(symbol: str, product: str) -> str:
    """Both as a person reads them: ``NSE:INFY MIS``."""
    return f"{symbol} {product}" if product else symbol


class OfPosition:
    """What an event about one position has beside its symbol and product."""

    __slots__ = ()
    symbol: str
    product: str

    @property
    def key(self) -> str:
        """What the position is kept under."""
        return position_key(self.symbol, self.product)
