"""Numbers that are none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from papertrade.domain import numbers
from papertrade.errors import InvalidValueError
from papertrade.paper import PaperBroker

from ..turns import EVERY_HOST, Raw
from ..world import World
from .scene import Failure, Guard, Script, Turn, order, records

TEXTS = (
    *("NaN", "nan", "-NaN", "sNaN", "Infinity", "-inf", "1e5", "1e999999"),
    *("", " 1", "1_000", "\uff11", "-1", "0", "-0"),
)
DECIMALS = ("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "-1", "0", "-0")
FLOATS = ("nan", "inf", "-inf", "1e300", "5e-324", "-0.0", "-1.0")
PLACE = {"symbol": "AAA", "side": "buy", "quantity": "1", "limit_price": "9", "stop_price": "8.5"}
WHEN = "2026-01-05T09:00:30Z"
CALLS: tuple[tuple[str, dict[str, str], tuple[str, ...]], ...] = (
    ("place_order", PLACE, ("quantity", "limit_price", "stop_price")),
    ("modify_order", {"order_id": "main-1", "quantity": "2", "limit_price": "9"}, ("quantity", "limit_price")),
    ("close_position", {"symbol": "AAA", "quantity": "1"}, ("quantity",)),
    ("deposit", {"amount": "1"}, ("amount",)),
    ("withdraw", {"amount": "1"}, ("amount",)),
    (
        "on_quote",
        {"symbol": "AAA", "bid": "8", "ask": "9", "bid_size": "1", "ask_size": "1", "at": WHEN},
        ("bid", "ask", "bid_size", "ask_size"),
    ),
    ("on_price", {"symbol": "AAA", "price": "9", "at": WHEN}, ("price",)),
    ("on_trade", {"symbol": "AAA", "price": "9", "size": "1", "at": WHEN}, ("price", "size")),
    (
        "on_bar",
        {"symbol": "AAA", "open": "9", "high": "9", "low": "9", "close": "9", "end": WHEN},
        ("open", "high", "low", "close"),
    ),
)


class NanEverywhere(Failure):
    """A price of NaN is neither zero nor less, so it passes the check, and the order that has it never ends.

    Here a number is parsed before it is compared, and what is none is refused as misuse: with a typed error, and
    with nothing changed. Everything that takes a number is given every kind of text, Decimal and float that is none.
    """

    name = "nan_everywhere"
    source = "GigabrainGG/HyPaper #1"

    def turns(self) -> list[Turn]:
        """An order and a position to do it to, and then every field in turn."""
        script = Script().quote(1, "9.99", "10.00").at(2, order(1, "10", limit="9.50"), order(1, "5"))
        for call, arguments, fields in CALLS:
            for field in fields:
                for form, values in (("text", TEXTS), ("decimal", DECIMALS), ("float", FLOATS)):
                    for value in values:
                        wrong = Raw(call, tuple({**arguments, field: value}.items()), field, form)
                        script.at(3, wrong, wrong=True)
        return [t._replace(host=EVERY_HOST) if _is_datum(t) else t for t in script.turns]

    def reached(self, world: World) -> None:
        """All of them were refused, and the journal is what it was."""
        asked = sum(len(fields) for _, _, fields in CALLS) * (len(TEXTS) + len(DECIMALS) + len(FLOATS))
        assert world.marks["misuse refused"] == asked
        assert len(records(world, "order_accepted")) == 2
        assert not records(world, "order_rejected")

    @staticmethod
    def _compares_before_it_looks(patch: pytest.MonkeyPatch) -> None:
        """NaN is a number, and is not less than or equal to zero."""
        parse = numbers.parse_units

        def anything(value: object, field: str = "number") -> Any:
            return float("nan") if str(value).lower() == "nan" else parse(value, field)

        patch.setattr(numbers, "parse_units", anything)

    @staticmethod
    def _acts_before_it_looks(patch: pytest.MonkeyPatch) -> None:
        """What is no number is taken for 1, and refused when all is done."""
        parse, place = numbers.parse_units, PaperBroker.place_order

        def repaired(value: object, field: str = "number") -> int:
            return numbers.SCALE if str(value) == "NaN" else parse(value, field)

        def places(self: PaperBroker, *asked: Any, **fields: Any) -> Any:
            order = place(self, *asked, **fields)
            for name, value in fields.items():
                if isinstance(value, (str, Decimal)) and str(value) == "NaN":
                    raise InvalidValueError(name, value, numbers.ACCEPTED)
            return order

        patch.setattr(numbers, "parse_units", repaired)
        patch.setattr(PaperBroker, "place_order", places)

    guards: ClassVar[Mapping[str, Guard]] = {"A1": _compares_before_it_looks, "A2": _acts_before_it_looks}


def _is_datum(turn: Turn) -> bool:
    return isinstance(turn.deed, Raw) and turn.deed.call.startswith("on_")


EDGES: tuple[type[Failure], ...] = (NanEverywhere,)
