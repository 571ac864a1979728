"""What every event has, and the evidence that an order event carries."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, TypeAlias

from papertrade.domain.fields import Instant, record_dict
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of
from papertrade.domain.tables import html_table

Numbers: TypeAlias = tuple[tuple[str, int], ...]
"""Named amounts that were compared, in units: ``(("required", …), ("available", …))``."""


class Evidence(NamedTuple):
    """The market data that justified something: which datum, when, and what it said."""

    kind: str  # a DataKind
    number: int  # counts the data of this symbol
    at_ns: int
    seen_units: tuple[int | None, ...]  # quote: bid, ask, sizes; trade: price, size; bar: o, h, l, c, volume


class Happening:
    """What every event has."""

    __slots__ = ()
    kind: ClassVar[str]
    source: ClassVar[str] = "paper"
    account: str
    version: int
    at_ns: int
    at = Instant()

    def to_dict(self) -> dict[str, object]:
        """Every field by name, numbers as Decimal and instants as datetime."""
        return {"kind": self.kind, "source": self.source, **record_dict(self)}

    def _repr_html_(self) -> str:
        return html_table(self.kind.replace("_", " "), self.to_dict())

    def __repr__(self) -> str:
        shown = {
            name: value
            for name, value in record_dict(self).items()
            if name not in ("account", "version", "at") and value not in (None, (), "", 0, {})
        }
        facts = ", ".join(f"{name}={_shown(value)}" for name, value in shown.items())
        return f"<{type(self).__name__} {self.account}@{self.version} {text_of_instant(self.at_ns)}: {facts}>"


def _shown(value: object) -> str:
    """A value as a reader of a log wants it: of a record the fields that say something, a number as a number."""
    if isinstance(value, dict):
        return f"({', '.join(f'{n}={_shown(v)}' for n, v in value.items() if v not in (None, (), '', 0, {}))})"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


class OrderHappening(Happening):
    """What every event about one order has."""

    __slots__ = ()
    number: int

    @property
    def order_id(self) -> str:
        """The order it is about."""
        return f"{self.account}-{self.number}"


def describe_numbers(numbers: Numbers) -> str:
    """Compared numbers as text: ``required 1000.5, available 900``."""
    return ", ".join(f"{name} {text_of(units)}" for name, units in numbers)
