"""The auditor finds nothing wrong with what the exchange writes, and names whatever is made wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
import pytest

from papertrade.risk.limits import RiskLimits

from .audited import Audited, facts_of, run_seed
from .auditor import Auditor, BrokenInvariantError
from .falsified import Fields, Pretender, Story, story_of

SEEDS = (*range(24), 28, 47)
STEPS = 160


@cache
def run(seed: int) -> Audited:
    """A run that every test may look at; a test that changes a live account makes its own."""
    return run_seed(seed, STEPS)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_wrong_with_a_run(seed: int) -> None:
    """Every record of a seeded run is one that the documents allow, and every view says what the journal says."""
    done = run(seed)
    assert done.auditor.figures() == story_figures(story_of(done))


FOUND = (55, 279, 824, 1007)


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once_stays_mended(seed: int) -> None:
    """Runs in which the auditor once found the exchange wrong: a stop compared with a later print, numbers that did not

    explain a cut, an order enlarged past its limit, a size sold again after a halt.
    """
    assert run_seed(seed, 200).auditor.figures()


def story_figures(story: Story) -> tuple[object, ...]:
    """The figures of an auditor that was told a story."""
    auditor = Auditor(facts_of(story.setup))
    for call in story.told:
        if type(call[0]) is bytes:
            auditor.take(*call)
        else:
            auditor.saw(*call[:5], stamped=call[5], sequence=call[6])
    return auditor.figures()


def test_rare_situations_are_met() -> None:
    """The runs above reach what is rare, so that finding nothing wrong means something."""
    reached: Counter[str] = Counter()
    for seed in SEEDS:
        reached.update(run(seed).auditor.reached())
    met = {"position_flip", "oco_canceled", "order_expired", "day_rolled", "limit_latched", "margin_called"}
    met |= {"stop_hit_on_gap", "minimum_fee", "fok_unfilled", "insufficient_funds", "reduce_only_cut", "reopened"}
    assert not met - set(reached)


# ------------------------------------------------------------ records that lie


def always(_: Fields) -> bool:
    """Any record will do."""
    return True


def add(name: str, by: str) -> Callable[[Fields], object]:
    """A change that adds to an amount."""

    def change(fields: Fields) -> None:
        fields[name] = text(Decimal(fields[name]) + Decimal(by))

    return change


def put(name: str, value: object) -> Callable[[Fields], object]:
    """A change that puts another value."""
    return lambda fields: fields.__setitem__(name, value)


def both(*changes: Callable[[Fields], object]) -> Callable[[Fields], object]:
    """Several changes."""
    return lambda fields: [change(fields) for change in changes]


def text(value: Decimal) -> str:
    """Canonical decimal text."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def better_base(fields: Fields) -> None:
    """A stop that fills better than its trigger and the market."""
    better = Decimal(-50 * fields["sign"])
    add("base", str(better))(fields)
    add("price", str(better))(fields)


def first_fee(fields: Fields) -> None:
    """A fee that is a unit of money too high."""
    fields["fees"][0][1] = text(Decimal(fields["fees"][0][1]) + 1)


def whole_close(f: Fields) -> bool:
    """Does it close all that it fills?"""
    return bool(f["closed"] == f["quantity"])


def _compared(there: str) -> Callable[[Fields], object]:
    """The second of the numbers compared is another."""
    return lambda fields: fields["numbers"][1].__setitem__(1, there)


LIES: list[tuple[str, str, Callable[[Fields], bool], Callable[[Fields], object]]] = [
    ("A4", "cash_deposited", always, put("account", "other")),
    ("E1", "order_accepted", always, put("version", 7_777)),
    ("E8", "order_accepted", always, put("quantity", "1.10")),
    ("E8", "order_accepted", always, put("quantity", 5)),
    ("E8", "order_filled", always, lambda f: f.pop("price")),
    ("L2", "cash_deposited", lambda f: f["note"] == "opening balance", add("amount", "1")),
    ("L3", "order_filled", lambda f: bool(f["fees"]), first_fee),
    ("L3", "order_filled", lambda f: bool(f["fees"]), put("fees", [])),
    ("L4", "day_opened", lambda f: f["version"] == 3, add("equity", "1")),
    ("L5", "order_canceled", lambda f: f["held"] != "0", put("held", "0")),
    ("L5", "order_accepted", lambda f: f["hold"] != "0", add("held", "1")),
    ("L5", "order_filled", lambda f: f["hold"] != "0", both(add("hold", "1"), add("held", "1"))),
    ("L5", "orders_linked", lambda f: f["held"] != "0", put("held", "0")),
    ("L6", "cash_withdrawn", always, add("amount", "99999999")),
    ("L8", "cash_deposited", lambda f: f["version"] > 2, put("amount", "-5")),
    ("L9", "order_filled", lambda f: f["closed"] == "0", add("value", "1")),
    ("L10", "cash_deposited", lambda f: f["version"] > 2, put("currency", "EUR")),
    ("M1", "order_filled", lambda f: f["rule"] in ("Q1", "Q2"), both(add("base", "1"), add("price", "1"))),
    ("M1", "order_filled", lambda f: f["rule"] == "Q4", both(add("base", "1"), add("price", "1"))),
    ("M1", "order_filled", lambda f: f["rule"] == "B4", both(add("base", "1"), add("price", "1"))),
    ("M1", "order_filled", lambda f: f["rule"] == "Q1", put("rule", "Q4")),
    ("M1", "order_filled", lambda f: f["rule"] == "Q1", lambda f: f["evidence"]["seen"].__setitem__(0, "3")),
    ("M1", "order_filled", lambda f: f["rule"] == "Q1", put("role", "maker")),
    ("M1", "order_triggered", lambda f: f["rule"] == "Q5", put("rule", "Q6")),
    ("M2", "order_filled", always, lambda f: f["evidence"].__setitem__("at", "2031-01-01T00:00:00Z")),
    ("M4", "order_filled", lambda f: f["rule"] in ("Q5", "P5", "B5"), better_base),
    ("M5", "order_filled", lambda f: f["rule"] == "Q1", add("price", "0.000001")),
    ("M7", "order_filled", always, lambda f: f["evidence"].__setitem__("at", "2025-01-01T00:00:00Z")),
    ("M7", "order_filled", always, lambda f: f["evidence"].__setitem__("number", 0)),
    ("O1", "order_canceled", always, put("number", 9_999)),
    ("O2", "order_filled", always, add("quantity", "100000")),
    ("O2", "order_accepted", lambda f: f["terms"]["quantity"] != "0", add("quantity", "10")),
    ("O3", "order_filled", always, lambda f: f.__setitem__("sign", -f["sign"])),
    ("O4", "order_filled", always, put("fill_number", 9_999)),
    ("O4", "order_rejected", always, put("number", 9_999)),
    ("O6", "order_accepted", lambda f: f["terms"]["tif"] == "day", put("expires", "2031-01-01T00:00:00Z")),
    ("O8", "order_canceled", lambda f: f["reason"] == "requested", put("reason", "mood")),
    ("O8", "order_rejected", lambda f: f["reason"] == "insufficient_funds", _compared("99999999999")),
    ("O8", "order_rejected", always, put("reason", "mood")),
    ("P2", "order_filled", lambda f: f["closed"] != "0", add("released", "1")),
    ("P3", "order_filled", whole_close, add("realized", "1")),
    ("P3", "order_filled", whole_close, both(put("closed", "0"), put("closed_value", "0"))),
    ("R4", "margin_called", always, put("equity", "99999999")),
    ("R4", "limit_latched", lambda f: bool(f["numbers"]), _compared("0.123")),
    ("R5", "limit_reset", always, put("limit", "kill_switch")),
    ("P8", "position_imported", always, add("cost", "1")),
    ("P8", "position_imported", always, put("quantity", "0.0000001")),
    ("L10", "position_imported", always, put("currency", "EUR")),
    ("P8", "account_reset", always, put("holdings", [["NOPE", "1"]])),
    ("P8", "account_reset", always, put("balances", [["assets:cash", "1"]])),
    ("L8", "account_reset", always, put("cash", "-1")),
    ("R4", "day_revalued", always, add("equity", "99999999")),
    ("R4", "day_revalued", always, add("peak", "99999999")),
    ("L4", "day_opened", lambda f: not f["unmarked"], put("unmarked", ["NOPE"])),
    ("O8", "order_canceled", lambda f: f["reason"] == "requested", put("reason", "reset")),
    ("T1", "order_accepted", always, put("at", "2025-01-01T00:00:00Z")),
    ("T1", "order_rejected", always, put("at", "2031-01-01T00:00:00Z")),
    ("T2", "day_opened", always, put("day", "2031-01-01")),
]


def told(kind: str, wanted: Callable[[Fields], bool]) -> list[tuple[Story, int]]:
    """Every run's first record of this kind that will do."""
    stories = [story_of(run(seed)) for seed in SEEDS]
    found = [(story, story.find(kind, wanted)) for story in stories]
    return [(story, place) for story, place in found if place is not None]


@pytest.mark.parametrize(("name", "kind", "wanted", "change"), LIES)
def test_a_changed_record_is_named(
    name: str, kind: str, wanted: Callable[[Fields], bool], change: Callable[[Fields], object]
) -> None:
    """One field of one record is changed: the auditor stops there, with the id of the rule that this breaks."""
    found = told(kind, wanted)
    assert found
    assert {story.changed(place, change).audit() for story, place in found} == {name}


# ----------------------------------------------- records that are missing or too many


def first(kind: str, wanted: Callable[[Fields], bool] = always) -> tuple[Story, int]:
    """The first run that has such a record, and its place."""
    return told(kind, wanted)[0]


def test_a_missing_record_is_named() -> None:
    """Versions have no gap; with the versions mended, what was missing is missed."""
    story, place = first("order_accepted")
    assert story.without(place).audit() == "E1"
    assert story.without(place).numbered().audit() in ("O1", "O4")
    story, place = first("order_canceled", lambda f: f["reason"] == "oco")
    assert story.without(place).numbered().audit() == "O7"
    story, place = first("day_opened", lambda f: f["version"] > 3)
    assert story.without(place).numbered().audit() == "T2"
    story, place = first("order_triggered")
    assert story.without(place).numbered().audit() in ("O1", "O5")


def test_an_ioc_order_that_rests_is_named() -> None:
    """O6: without its cancellation an order that fills at once or never would rest."""
    for reason in ("ioc_remainder", "fok_unfilled"):
        story, place = first("order_canceled", lambda f, reason=reason: f["reason"] == reason)
        cut = Story(story.setup, story.told[:place])
        assert cut.audit() == "O6"


def test_swapped_and_repeated_records_are_named() -> None:
    """E1: order is part of the record. O5: an order ends once. K1: a key is decided once. A 4 is not a 5."""
    story, place = first("order_filled", lambda f: f["rule"] == "Q1")
    before = story.told[place - 1]
    assert type(before[0]) is bytes
    swapped = Story(story.setup, [*story.told[: place - 1], story.told[place], before, *story.told[place + 1 :]])
    assert swapped.audit() == "E1"
    story, place = first("order_canceled", lambda f: f["reason"] == "requested")
    fields = dict(next(fields for at, _, fields in story.records() if at == place))
    assert story.put(place + 1, "order_canceled", fields).numbered().audit() == "O5"
    story, place = first("cash_deposited", lambda f: f["command_id"] is not None)
    fields = dict(next(fields for at, _, fields in story.records() if at == place))
    assert story.put(place + 1, "cash_deposited", fields).numbered().audit() == "K1"


def test_an_expiry_before_its_time_is_named() -> None:
    """O6: an order expires when it is due, not before."""
    story, place = first("order_accepted", lambda f: f["expires"] is not None)
    fields = next(fields for at, _, fields in story.records() if at == place)
    lie = {"number": fields["number"], "held": text(-Decimal(fields["held"]))}
    assert story.put(place + 1, "order_expired", lie).numbered().audit() == "O6"


def test_enlarging_after_the_kill_switch_is_named() -> None:
    """R5: after a latch nothing that could enlarge a position is accepted, and nothing enlarges one."""
    story, place = first("order_filled", lambda f: f["closed"] == "0")
    latch = {"limit": "kill_switch", "numbers": []}
    assert story.put(place, "limit_latched", latch).numbered().audit() == "R5"
    story, place = first("order_accepted", lambda f: f["terms"]["sign"] == 1 and f["terms"]["type"] == "market")
    assert story.put(place, "limit_latched", latch).numbered().audit() == "R5"


def test_a_reducing_order_refused_for_funds_is_named() -> None:
    """R3: what can only reduce is never refused for funds."""
    lie = {"reason": "insufficient_funds", "numbers": []}
    story, place = first("order_rejected", lambda f: f["terms"]["reduce_only"] and not f["terms"]["oco_with"])
    place_after = place + 1
    lied = story.changed(place, lambda f: f.update(lie))
    assert Story(lied.setup, lied.told[:place_after]).audit() == "R3"


def test_an_order_beyond_a_limit_is_named() -> None:
    """R2: the same journal under tighter limits has orders that should have been refused."""
    for limits in (RiskLimits(max_order_quantity="0.0001"), RiskLimits(max_position="0.0001")):
        story = story_of(run(0))
        assert story.audit(attrs.evolve(facts_of(story.setup), limits=limits)) == "R2"
    names = {
        story.audit(attrs.evolve(facts_of(story.setup), limits=RiskLimits(max_open_orders=1)))
        for story in map(story_of, map(run, SEEDS))
    }
    assert "R2" in names


def test_a_size_sold_twice_is_named() -> None:
    """M3: the same journal, had the quote shown less."""
    found = [case for case in told("order_filled", _sized) if case[0].setup.fill.displayed_size == "respect"]
    story, place = found[0]
    evidence = next(fields["evidence"] for at, _, fields in story.records() if at == place)
    less = [*evidence["seen"][:2], "0.000001", "0.000001"]
    told_less = [_showing_less(call, evidence, less) for call in story.told]
    lied = Story(story.setup, told_less).changed(place, lambda f: f["evidence"].__setitem__("seen", less))
    assert lied.audit() == "M3"


def _sized(fields: Fields) -> bool:
    return fields["rule"] in ("Q1", "Q2", "Q3", "Q4") and None not in fields["evidence"]["seen"]


def _showing_less(call: tuple[Any, ...], evidence: Fields, less: list[str]) -> tuple[Any, ...]:
    if type(call[0]) is bytes or call[2] != "quote":
        return call
    shown = tuple(None if units is None else Decimal(units).scaleb(-9) for units in call[4])
    if shown != tuple(map(Decimal, evidence["seen"])):
        return call
    return (*call[:4], (*call[4][:2], 1_000, 1_000), *call[5:])


def test_a_datum_of_another_process_is_named() -> None:
    """M7: what was shown before a restart fills nothing after it."""
    story, place = first("order_filled")
    call = story.told[place]
    assert story.with_call(place, (call[0], 99, *call[2:])).audit() == "M7"


def test_bytes_that_are_not_canonical_are_named() -> None:
    """E8: one spelling for each record, and nothing that is not one."""
    story, place = first("order_accepted")
    data = story.told[place][0]
    spaced, renamed = data.replace(b":", b": ", 1), data.replace(b"order_", b"Order_", 1)
    for other in (spaced, renamed, data + b" ", data[:-1], b"[]", b"\xff"):
        assert story.with_bytes(place, other).audit() == "E8"


# --------------------------------------------------------- a live account that lies


def live(seed: int = 0) -> tuple[Story, Any, Any]:
    """A run of one's own: its story, its broker and its live state."""
    done = run_seed(seed, STEPS)
    return story_of(done), done.driven.broker, done.driven.exchange._desk.engine.seats["main"].state


def held(state: Any) -> Any:
    """A position that is not flat."""
    return next(position for position in state.positions.values() if position.quantity_units)


def bend_order(state: Any, field: str) -> None:
    """An open order is not what the journal says."""
    order = next(iter(state.orders.values()))
    setattr(order, field, (getattr(order, field) or 0) + 1)


BENT: list[tuple[str, Callable[[Any], object]]] = [
    ("E1", lambda state: setattr(state, "version", state.version + 1)),
    ("E2", lambda state: setattr(state, "latches", ("kill_switch", "max_daily_loss", "max_drawdown"))),
    ("E2", lambda state: setattr(state, "margin_call", not state.margin_call)),
    ("E2", lambda state: setattr(state, "peak_units", state.peak_units + 1)),
    ("L1", lambda state: state.books.__setitem__("assets:positions", 1)),
    ("L2", lambda state: state.books.__setitem__("assets:cash", 1)),
    ("L5", lambda state: state.books.__setitem__("assets:holds", 1)),
    ("O1", lambda state: state.orders.popitem()),
    ("O2", lambda state: bend_order(state, "filled_units")),
    ("L5", lambda state: bend_order(state, "hold_units")),
    ("O9", lambda state: bend_order(state, "limit_units")),
    ("P1", lambda state: setattr(held(state), "quantity_units", 1)),
    ("P2", lambda state: setattr(held(state), "cost_units", 1)),
    ("P3", lambda state: setattr(held(state), "realized_units", 1)),
    ("O4", lambda state: setattr(state, "next_fill", 1)),
]


@pytest.mark.parametrize(("name", "bend"), BENT)
def test_a_live_account_that_differs_is_named(name: str, bend: Callable[[Any], object]) -> None:
    """The live account is compared with the books of the auditor, field by field."""
    story, broker, state = live()
    assert story.audit(broker=broker) is None
    bend(state)
    assert story.audit(broker=broker) == name


VIEWS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("A3", "account", lambda view: view._replace(realized_units=view.realized_units + 1)),
    ("A3", "positions", lambda found: found[:-1]),
    ("A3", "fills", lambda found: found[:-1]),
    ("L4", "account", lambda view: view._replace(equity_units=view.equity_units + 1)),
    ("L5", "account", lambda view: view._replace(held_units=view.held_units + 1)),
    ("L7", "entries", lambda found: found[:-1]),
    ("L7", "entries", lambda found: [*found, found[-1]]),
    ("O4", "orders", lambda found: found[:-1]),
    ("P1", "positions", lambda found: [p._replace(quantity_units=p.quantity_units + 1) for p in found]),
    ("P2", "positions", lambda found: [p._replace(lots=()) for p in found]),
    ("P4", "position", lambda shown: shown._replace(cost_units=1)),
    ("P6", "positions", lambda found: [p._replace(market_value_units=1) for p in found]),
    ("R1", "account", lambda view: view._replace(initial_margin_units=view.initial_margin_units + 1)),
]


@pytest.mark.parametrize(("name", "view", "bend"), VIEWS)
def test_a_view_that_differs_is_named(name: str, view: str, bend: Callable[[Any], Any]) -> None:
    """What people are shown is compared with the books, too."""
    done = run(4)  # it ends with a position, and with one that is flat
    assert story_of(done).audit(broker=Pretender(done.driven.broker, **{view: bend})) == name


def test_a_violation_says_what_was_found() -> None:
    """The error has the id, the account, what was found and what was expected."""
    error = BrokenInvariantError("L1", "main", 1, 0)
    assert str(error) == "L1 is broken in account 'main': found 1; expected 0"
    assert (error.name, error.account, error.found, error.expected) == ("L1", "main", 1, 0)
