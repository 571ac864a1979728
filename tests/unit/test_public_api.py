"""What users see of papertrade: documented, annotated to the last parameter, and readable when printed."""

from __future__ import annotations

import inspect
import re
import types
import typing
import zoneinfo
from collections.abc import Iterator
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import papertrade as pt
from papertrade.domain import day_positions, pages, summaries
from papertrade.domain.events import EVENT_TYPES
from papertrade.domain.tables import html_rows, html_table
from papertrade.hosting import daily, explaining, previewing, running, windows
from papertrade.ports import feed

START = 1_767_623_400_000_000_000
PACKAGE = Path(pt.__file__).parent

# Where a bare ``object`` is meant, and why.
OBJECTS = {
    "Exchange.add_instrument(details)": "the fields of Instrument, each checked by its converter",
    "AsyncExchange.add_instrument(details)": "likewise",
    "FillSettings.preset(changes)": "the fields of FillSettings, each checked by its converter",
    "units(value)": "the parser of the edge: it exists to say what is wrong with anything",
}
# Plumbing between a host and its brokers, public only because they are two modules.
PLUMBING = {"Exchange.run_flow", "AsyncExchange.run_flow"}


def public(owner: type) -> Iterator[tuple[str, Any]]:
    """Methods and properties that papertrade defines on a class, inherited ones included."""
    seen: set[str] = set()
    for cls in owner.__mro__:
        if not cls.__module__.startswith("papertrade"):
            continue
        for name, member in vars(cls).items():
            if name in seen or (name.startswith("_") and name != "__init__"):
                continue
            if name == "__init__" and getattr(owner, "_is_protocol", False):
                continue  # typing's own
            seen.add(name)
            if isinstance(member, (classmethod, staticmethod)):
                member = member.__func__
            if isinstance(member, property):
                member = member.fget
            if inspect.isfunction(member):
                yield name, member


def functions() -> list[tuple[str, Any]]:
    """Everything that can be called by a public name."""
    found: list[tuple[str, Any]] = []
    for name in pt.__all__:
        member = getattr(pt, name)
        if inspect.isclass(member):
            found += [(f"{name}.{method}", function) for method, function in public(member)]
        elif inspect.isfunction(member):
            found.append((name, member))
    return found


FUNCTIONS = dict(functions())


def namespace(function: Any) -> dict[str, Any]:
    """What the annotations of a function may name, those under TYPE_CHECKING included."""
    late = {name: getattr(pt, name) for name in ("Exchange", "AsyncExchange", "PaperBroker", "Calendar")}
    later = {"Outbox": object}
    # Of searches and runs, which load what they need when they begin.
    lazy = (pages, windows, summaries, daily, day_positions, feed, running, explaining, previewing, zoneinfo)
    for module in lazy:
        later.update(vars(module))
    return {**late, **later, **inspect.getmodule(function).__dict__}  # type: ignore[union-attr]


def hints(function: Any) -> dict[str, Any]:
    return typing.get_type_hints(function, namespace(function))


def mentions_any(hint: Any) -> bool:
    """Is there an Any anywhere in it?"""
    if hint is Any:
        return True
    return any(mentions_any(part) for part in typing.get_args(hint) if not isinstance(part, (str, int, Enum)))


def test_there_is_something_to_walk() -> None:
    """The walk sees the brokers, the exchange and the records."""
    assert len(FUNCTIONS) > 200
    assert {"PaperBroker.buy", "AsyncPaperBroker.stream", "Order.average_price", "Fill.fees", "Broker.wait"} <= set(
        FUNCTIONS
    )


@pytest.mark.parametrize("name", pt.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    """Each name of the package says in a sentence what it is."""
    text = inspect.getdoc(getattr(pt, name)) or ""
    assert len(text) > 15, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_method_is_documented(name: str) -> None:
    """Each public method has a docstring of its own; ``__init__`` is told by its class."""
    if name.endswith(".__init__"):
        return
    assert len(FUNCTIONS[name].__doc__ or "") > 3, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_annotated(name: str) -> None:
    """Each parameter and each answer has a type, and none of them is Any or a bare object."""
    function = FUNCTIONS[name]
    if name in PLUMBING:
        return
    found = hints(function)
    parameters = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
    unnamed = [p for p in parameters if p not in found]
    assert not unnamed, f"{name}: {unnamed}"
    assert "return" in found, f"{name} does not say what it answers"
    vague = [p for p, hint in found.items() if mentions_any(hint)]
    assert not vague, f"{name}: Any in {vague}"
    bare = [f"{name}({p})" for p in parameters if found[p] is object]
    assert set(bare) <= set(OBJECTS), bare


def test_the_exceptions_are_needed() -> None:
    """A listed exception that is none any more is struck."""
    bare = {
        f"{name}({p})"
        for name, function in FUNCTIONS.items()
        if name not in PLUMBING
        for p, hint in hints(function).items()
        if hint is object and p != "return"
    }
    assert bare == set(OBJECTS)
    assert all(name in FUNCTIONS for name in PLUMBING)


def answered(hint: Any) -> Iterator[type]:
    """The classes of papertrade that a hint names, events aside: those are in ``domain.events``."""
    for part in (hint, typing.get_origin(hint)):
        if inspect.isclass(part) and part.__module__.startswith("papertrade.") and part not in EVENT_TYPES.values():
            yield part
    for part in typing.get_args(hint):
        yield from answered(part)


def test_what_brokers_answer_has_a_public_name() -> None:
    """Whoever annotates what a broker or an exchange answered finds its class in the package."""
    named = {getattr(pt, name) for name in pt.__all__}
    owners = ("PaperBroker.", "AsyncPaperBroker.", "Exchange.", "AsyncExchange.", "Broker.", "AsyncBroker.", "Session.")
    methods = [name for name in FUNCTIONS if name.startswith(owners) and name not in PLUMBING]
    found = {kind for name in methods for kind in answered(hints(FUNCTIONS[name])["return"])}
    assert {pt.DaySummary, pt.DayPosition, pt.Page, pt.Order} <= found
    # Windows on the engine's own books, and a part of a session that nobody makes by itself.
    assert {kind.__name__ for kind in found - named} == {"Auction", "Market", "Tape"}


def test_mentions_any_sees_it() -> None:
    """The control: an Any is found wherever it hides."""
    for hint in (Any, list[Any], dict[str, list[Any]], "x" and typing.Callable[..., Any], Any | None):
        assert mentions_any(hint), hint
    assert not mentions_any(dict[str, list[int]] | None)


def test_the_type_marker_is_shipped() -> None:
    """Type checkers only look where py.typed is."""
    assert (PACKAGE / "py.typed").is_file()


def test_the_public_names_are_sorted_and_whole() -> None:
    """__all__ is in order, resolves, and names every exception's root that the docs speak of."""
    assert pt.__all__ == sorted(pt.__all__)
    assert all(hasattr(pt, name) for name in pt.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        pt.Nonsense  # noqa: B018


def test_every_error_is_documented() -> None:
    """Each exception says what to do about it, and belongs to the family."""
    for name, member in vars(pt.errors).items():
        if inspect.isclass(member) and issubclass(member, Exception) and not name.startswith("_"):
            assert issubclass(member, pt.PaperTradeError)
            assert (member.__doc__ or "").strip().endswith("."), name


# ---------------------------------------------------------------- what is printed


def session() -> pt.PaperBroker:
    """One of everything."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", fees=pt.PercentFee("0.001"))
    broker.on_quote("AAPL", "187.10", "187.14", 300, 200, at=START)
    broker.buy("AAPL", 10)
    broker.buy("AAPL", 5, limit_price="186.50", time_in_force="day")
    broker.sell("AAPL", 10, stop_price="180", limit_price="179.5")
    broker.buy("AAPL", 10**6)
    broker.cancel_order(broker.buy("AAPL", 1, limit_price=100))
    broker.buy("AAPL", 300, limit_price="187.14")
    return broker


ORDERS = [
    "<Order main-1: buy 10 AAPL market gtc, filled 10 at 187.14>",
    "<Order main-2: buy 5 AAPL limit at 186.5 day, accepted>",
    "<Order main-3: sell 10 AAPL stop_limit at 179.5 stop 180 gtc, accepted>",
    "<Order main-4: buy 1000000 AAPL market gtc, rejected (insufficient_funds)>",
    "<Order main-5: buy 1 AAPL limit at 100 gtc, canceled (requested)>",
    "<Order main-6: buy 300 AAPL limit at 187.14 gtc, partially filled 190 at 187.14>",
]


def test_orders_read_like_sentences() -> None:
    """An order tells side, size, symbol, type, prices, how long, and how it stands."""
    assert [repr(order) for order in session().orders()] == ORDERS


def test_records_read_like_sentences() -> None:
    """Positions, lots, fills, accounts and brokers tell what they are without a field name to decipher."""
    broker = session()
    assert repr(broker.position("AAPL")) == "<Position AAPL: long 200 at 187.14, marked 187.12, unrealized -4>"
    assert repr(broker.position("AAPL").lots[0]) == "<Lot 200 at 187.14>"
    assert repr(broker.fills()[0]) == "<Fill main-F1: buy 10 AAPL at 187.14 by rule Q1 as taker>"
    assert repr(broker.account()) == (
        "<Account main: equity 99958.57 USD, cash 62534.57 (21539.42 held, 40995.15 available), "
        "realized 0, unrealized -4, fees 37.43>"
    )
    assert repr(broker) == "<PaperBroker 'main'>"
    assert repr(broker.exchange) == "<Exchange: 1 instruments, 1 accounts>"
    broker.close_all_positions()
    assert re.fullmatch(r"<Position AAPL: flat, realized -?[\d.]+>", repr(broker.position("AAPL")))


def test_no_repr_shows_its_inside() -> None:
    """No units of 10⁻⁹, no address in memory, no Decimal('…') in anything that is printed."""
    broker = session()
    shown = [*broker.orders(), *broker.fills(), *broker.positions(), broker.account(), *broker.events(), broker]
    for thing in shown:
        text = repr(thing)
        assert not re.search(r"0x[0-9a-f]{6}|Decimal\(|_units|_ns\b|\d{12}", text), text
        assert "\n" not in text


# -------------------------------------------------------------------- notebooks


class Tags(HTMLParser):
    """The tags, attributes and text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[Any] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> Tags:
    found = Tags()
    found.feed(html)
    found.close()
    return found


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror="alert(1)">', "</td></table><h1>&amp;", "<!--"]


def test_html_escapes_hostile_text() -> None:
    """Whatever a caller put into tags, keys, notes and names, a notebook shows it as text."""
    broker = pt.open_paper_broker(cash=100_000, clock="data")
    broker.on_quote("AAPL", 10, 11, at=START)
    for number, text in enumerate(HOSTILE):
        broker.deposit(1, note=text)
        broker.buy("AAPL", 1, tags={f"t{number}": text, "other": text[::-1]})
    things = [*broker.orders(), *broker.fills(), *broker.positions(), broker.account(), *broker.events()]
    shown = set()
    for thing in things:
        found = parsed(thing._repr_html_())
        assert found.tags <= {"table", "caption", "tr", "th", "td"}, thing._repr_html_()
        assert not found.attributes
        shown |= {text for text in HOSTILE if any(text in data for data in found.text)}
    assert shown == set(HOSTILE)


def test_tables_escape_titles_names_and_values() -> None:
    """The two builders escape each of their parts."""
    for text in HOSTILE:
        for html in (html_table(text, {text: text}), html_rows(text, [text], [[text]])):
            found = parsed(html)
            assert found.tags == {"table", "caption", "tr", "th", "td"}
            assert [text.replace("_", " ") for _ in range(3)] == [data for data in found.text if data]


def test_everything_that_is_shown_in_a_notebook_has_a_table() -> None:
    """Orders, fills, positions, accounts and every event show as a table, with a caption."""
    broker = session()
    for thing in (broker.orders()[0], broker.fills()[0], broker.position("AAPL"), broker.account()):
        html = thing._repr_html_()
        assert html.startswith("<table><caption>")
        assert html.endswith("</table>")
    assert all(isinstance(getattr(cls, "_repr_html_", None), types.FunctionType) for cls in EVENT_TYPES.values())


def test_to_dict_is_readable() -> None:
    """to_dict answers public names with Decimal, datetime and text: no integer of units, no private name."""
    broker = session()
    for thing in (*broker.orders(), *broker.fills(), *broker.positions(), broker.account(), *broker.events()):
        fields = thing.to_dict()
        assert fields["source"] == "paper" if "source" in fields else isinstance(thing, pt.Position)
        for name, value in fields.items():
            assert not name.startswith("_"), name
            assert not name.endswith(("_units", "_ns")), name
            assert not (type(value) is int and value > 10**9), (name, value)
