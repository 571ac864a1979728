"""What whoever draws commands looks at, so that what is drawn makes sense: an oracle, or a live account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms


class SeenOrder(Protocol):
    """What a draw looks at in an order."""

    number: int
    oco: int
    terms: OrderTerms

    @property
    def symbol(self) -> str: ...


class SeenMarket(Protocol):
    """What a draw looks at in a market."""

    halted: bool

    @property
    def instrument(self) -> Instrument: ...


class SeenBases(Protocol):
    """What a draw looks at in the limits of an account."""

    @property
    def latches(self) -> Sequence[str]: ...


class Sight(Protocol):
    """What a draw looks at, so that it stays within what makes sense: an oracle, or a live account."""

    clock: int

    @property
    def orders(self) -> Mapping[int, SeenOrder]: ...

    @property
    def markets(self) -> Mapping[str, SeenMarket]: ...

    def open_orders(self, symbol: str | None = None) -> Sequence[SeenOrder]: ...

    def bases(self) -> SeenBases: ...

    def closable(self, key: str, sign: int) -> int: ...

    def available(self) -> int: ...

    def total(self) -> int: ...

    def held(self) -> int: ...

    def held_keys(self) -> Sequence[str]: ...
