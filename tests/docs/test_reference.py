"""Reference pages that mirror the code are compared with it, so that the two cannot drift apart.

A page's tables are read as a reader sees them: the columns by their headings, the cells without their markup.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import attrs
import pytest

import papertrade as pt
from papertrade import errors
from papertrade.domain import numbers as number_rules
from papertrade.domain.events import EVENT_TYPES, OrderModifyRejected, OrderRejected
from papertrade.domain.lifecycle import MOVES
from papertrade.domain.names import MAX_TAGS
from papertrade.domain.orders import _ORDER_FIELDS, OrderRequest
from papertrade.domain.rejections import REJECT_SENTENCES
from papertrade.domain.words import SIDE_SPELLINGS, TIF_SPELLINGS, TYPE_SPELLINGS
from papertrade.hosting.explaining import WaitReason
from papertrade.hosting.intake import MAX_LEVELS
from papertrade.hosting.market_window import MarketWindow
from papertrade.hosting.requests import MOST_MINUTES as MAX_TTL_MINUTES
from papertrade.hosting.setup import AccountOptions
from papertrade.ledger.postings import POSTINGS
from papertrade.ledger.settlement import MOST_SESSIONS
from papertrade.matching.rules import LETTERS, RULE_SENTENCES
from papertrade.matching.settings import PRESETS
from papertrade.ports.broker import Broker
from papertrade.risk.products import MOST_PRODUCTS
from papertrade.risk.square_off import MOST_MINUTES
from papertrade.risk.squaring_rules import MOST_RULES
from papertrade.testing.scenario import load_scenarios

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"

Row = dict[str, str]

# ------------------------------------------------------------------ reading a page


def text_of(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


def tables(text: str) -> Iterator[list[Row]]:
    """Every table of a page, each row by the names of its columns."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.startswith("|"):
            continue
        head, rows = _cells(line), []
        next(lines)  # the line of dashes
        for row in lines:
            if not row.startswith("|"):
                break
            rows.append(dict(zip(head, _cells(row), strict=True)))
        yield rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def plain(cell: str) -> str:
    """What a reader sees: no backticks, and of a link its text."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", cell).replace("`", "")


def rows_with(page: str, *columns: str) -> list[Row]:
    """The rows of all tables of a page that have these columns."""
    found = [row for table in tables(text_of(page)) for row in table if set(columns) <= set(row)]
    assert found, f"{page} has no table with the columns {columns}"
    return found


def column(page: str, name: str, *beside: str) -> list[str]:
    return [plain(row[name]) for row in rows_with(page, name, *beside)]


def words(cell: str) -> list[str]:
    """``a, b and c`` without markup as its parts."""
    return [part.strip() for part in plain(cell).split(",") if part.strip()]


def run_page(page: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The names that the Python of a page leaves behind."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        import test_snippets
    finally:
        sys.path.pop(0)
    module = types.ModuleType("docs_page")
    monkeypatch.setitem(sys.modules, "docs_page", module)
    test_snippets.run_page(text_of(page), page, module.__dict__)
    return module.__dict__


# ------------------------------------------------------------------ fill rules


def rule_rows() -> list[Row]:
    return rows_with("fill-rules.md", "rule", "role")


def test_fill_rules_are_all_on_the_page() -> None:
    """Each numbered rule has one row, in the order of the code."""
    assert [plain(row["rule"]) for row in rule_rows()] == list(RULE_SENTENCES)


def test_letters_of_fill_rules_are_all_on_the_page() -> None:
    """Each kind of data has its letter."""
    shown = {plain(row["letter"]) for row in rows_with("fill-rules.md", "letter") if row["letter"]}
    assert shown == set(LETTERS.values())


def test_fill_rules_lead_to_their_scenarios() -> None:
    """A rule's link leads to a file with scenarios of that rule for both sides."""
    for row in rule_rows():
        rule, target = plain(row["rule"]), re.search(r"\(([^)]+)\)", row["rule"])
        assert target is not None, f"{rule} has no link"
        scenarios = (REFERENCE / target[1]).read_text(encoding="utf-8")
        for side in ("buy", "sell"):
            assert f"scenario {rule} {side}:" in scenarios, f"{target[1]} has no scenario '{rule} {side}:'"


def test_roles_of_fill_rules_are_those_of_real_fills() -> None:
    """The role column says what the fills of all scenarios were."""
    seen: dict[str, set[str]] = {}
    for scenario in load_scenarios(ROOT / "tests" / "scenarios"):
        for fill in scenario.run().fills:
            seen.setdefault(fill.rule, set()).add(fill.role.value)
    shown = {plain(row["rule"]): set(re.findall("maker|taker", row["role"])) for row in rule_rows()}
    assert shown == seen


# ------------------------------------------------------------------ settings


def fields_of_settings() -> dict[str, str]:
    defaults = pt.FillSettings()
    return {a.name: _shown(getattr(defaults, a.name)) for a in attrs.fields(pt.FillSettings) if a.init}


def _shown(value: object) -> str:
    """A value as the page writes it: numbers bare, everything else as its repr."""
    return str(value) if hasattr(value, "as_tuple") else repr(value)


def test_settings_and_their_defaults_are_on_the_page() -> None:
    """Each field of FillSettings has a row with its default, in order."""
    rows = rows_with("settings.md", "field", "default", "what it decides")
    assert {plain(row["field"]): plain(row["default"]) for row in rows} == fields_of_settings()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_on_the_page_are_those_of_the_code(preset: str) -> None:
    """A preset's column holds exactly what it changes."""
    rows = rows_with("settings.md", "field", f"`{preset}`")
    shown = {plain(row["field"]): plain(row[f"`{preset}`"]) for row in rows if row[f"`{preset}`"]}
    made = pt.FillSettings.preset(preset)
    assert shown == {name: _shown(getattr(made, name)) for name in PRESETS[preset]}


def _arguments(function: Callable[..., object]) -> dict[str, inspect.Parameter]:
    """What can be given by name: the options of an account, which are passed through, are asked for elsewhere."""
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if name not in ("self", "account", "options")}


def argument_tables() -> tuple[dict[str, str], dict[str, str]]:
    """The arguments of an account and those of an exchange, each with its default as the page says it."""
    found = [table for table in tables(text_of("settings.md")) if "argument" in table[0]]
    account, exchange = ({plain(row["argument"]): row["default"] for row in table} for table in found)
    return account, exchange


def test_what_an_account_brings_is_on_the_page() -> None:
    """Each option of an account has a row, also those that are passed through."""
    account, _ = argument_tables()
    opened = _arguments(pt.Exchange.open_account)
    assert sorted(account) == sorted({*opened, *AccountOptions.__optional_keys__})


def test_what_an_exchange_is_given_is_on_the_page() -> None:
    """Each argument of an exchange has a row, and one account alone can be given the same."""
    account, exchange = argument_tables()
    assert sorted(exchange) == sorted(_arguments(pt.Exchange))
    assert set(_arguments(pt.open_paper_broker)) <= {*account, *exchange}


def test_defaults_of_arguments_are_those_of_the_code() -> None:
    """A default that the page gives as a literal is the one of the signature."""
    account, exchange = argument_tables()
    shown = [(account, _arguments(pt.Exchange.open_account)), (exchange, _arguments(pt.Exchange))]
    for told, parameters in shown:
        for name, parameter in parameters.items():
            literal = re.match(r'`("\w+"|True|False|\d+)`', told[name])
            if literal is not None:
                assert ast.literal_eval(literal[1]) == parameter.default, name


# ------------------------------------------------------------------ orders


def test_request_fields_are_on_the_page() -> None:
    """Each field of a request has a row."""
    assert column("orders.md", "field", "asked for") == [a.name for a in attrs.fields(OrderRequest)]


def test_order_fields_are_on_the_page() -> None:
    """Each field of an order has a row."""
    assert column("orders.md", "field", "what it is") == list(_ORDER_FIELDS)


def test_statuses_are_on_the_page() -> None:
    """Each status has a row that says whether it is open or final."""
    rows = rows_with("orders.md", "status", "open or final")
    shown = {plain(row["status"]): row["open or final"] for row in rows}
    assert shown == {s.value: "open" if s.is_open else "final" for s in pt.OrderStatus}


def test_lifecycle_on_the_page_is_the_table_of_moves() -> None:
    """The page shows exactly the legal moves."""
    rows = rows_with("orders.md", "from", "what happened", "to")
    shown = {(plain(row["from"]), plain(row["what happened"])): plain(row["to"]) for row in rows}
    assert shown == {(status.value, what): after.value for (status, what), after in MOVES.items()}


@pytest.mark.parametrize(
    ("heading", "spellings"), [("side", SIDE_SPELLINGS), ("type", TYPE_SPELLINGS), ("time in force", TIF_SPELLINGS)]
)
def test_spellings_are_on_the_page(heading: str, spellings: dict[str, str]) -> None:
    """Each accepted spelling of a closed word is listed beside its meaning."""
    rows = rows_with("orders.md", heading, "may be typed")
    shown = {spelling: plain(row[heading]) for row in rows for spelling in words(row["may be typed"])}
    assert shown == {spelling: word.value for spelling, word in spellings.items()}  # type: ignore[attr-defined]


def test_wait_reasons_are_on_the_page() -> None:
    """Each reason why an open order waits has a row."""
    assert column("orders.md", "waits") == [reason.value for reason in WaitReason]


# ------------------------------------------------------------------ rejections and cancellations


def test_rejections_are_on_the_page_in_order_of_precedence() -> None:
    """Each reason has a row with its sentence, in the order in which it is checked."""
    rows = rows_with("rejections.md", "reason", "it says")
    shown = [(plain(row["reason"]), row["it says"]) for row in rows]
    assert shown == [(reason.value, REJECT_SENTENCES[reason]) for reason in pt.RejectReason]


def test_each_rejection_has_an_example_with_the_numbers_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's own examples meet every reason, and compare the numbers that the table names."""
    brokers = run_page("rejections.md", monkeypatch)["brokers"]
    assert isinstance(brokers, list)
    met: dict[str, list[str]] = {}
    for event in (event for broker in brokers for event in broker.events()):
        if isinstance(event, (OrderRejected, OrderModifyRejected)):
            met[event.reason] = [name for name, _ in event.numbers]
    rows = rows_with("rejections.md", "reason", "it says")
    assert met == {plain(row["reason"]): words(row["numbers compared"]) for row in rows}


def test_cancel_reasons_are_on_the_page() -> None:
    """Each reason has a row, in order."""
    assert column("cancel-reasons.md", "reason") == [reason.value for reason in pt.CancelReason]


# ------------------------------------------------------------------ events and postings


def test_events_are_on_the_page_with_their_fields() -> None:
    """Each event kind has a row with its class and its stored fields, in order."""
    common = column("events.md", "field", "of every event")
    rows = rows_with("events.md", "kind", "class", "fields")
    shown = {plain(row["kind"]): (plain(row["class"]), common + words(row["fields"])) for row in rows}
    assert shown == {kind: (cls.__name__, list(cls._fields)) for kind, cls in EVENT_TYPES.items()}


def test_event_fields_are_explained() -> None:
    """Each field that any event has is explained once."""
    used = {name for cls in EVENT_TYPES.values() for name in cls._fields}
    explained = column("events.md", "field", "of every event") + column("events.md", "field", "meaning")
    assert sorted(explained) == sorted(used)


def test_postings_name_every_event() -> None:
    """An event with a posting function has rows with debit and credit, any other is listed as moving nothing."""
    moving = {plain(row["event"]) for row in rows_with("postings.md", "event", "debit", "credit")}
    still = set(column("postings.md", "moves no money"))
    assert moving == {cls.kind for cls in POSTINGS}  # type: ignore[attr-defined]
    assert moving | still == set(EVENT_TYPES)
    assert not moving & still


def test_postings_on_the_page_are_those_of_real_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's own example meets every row's accounts on the side on which the row has them, and no others."""
    brokers = run_page("postings.md", monkeypatch)["brokers"]
    assert isinstance(brokers, list)
    met: dict[str, tuple[set[str], set[str]]] = {}
    for entry in (entry for broker in brokers for entry in broker.entries()):
        debit, credit = met.setdefault(entry.kind, (set(), set()))
        for posting in entry.postings:
            name = re.sub(r"fees:.*", "fees:<kind>", posting.ledger_account)
            (debit if posting.amount_units > 0 else credit).add(name)
    shown: dict[str, tuple[set[str], set[str]]] = {}
    for row in rows_with("postings.md", "event", "debit", "credit"):
        debit, credit = shown.setdefault(plain(row["event"]), (set(), set()))
        debit.update(words(row["debit"]))
        credit.update(words(row["credit"]))
    assert met == shown


# ------------------------------------------------------------------ errors, limits, names


def test_errors_are_on_the_page() -> None:
    """Each exception has a row that names what it is."""
    public = [
        value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PaperTradeError) and not name.startswith("_")
    ]
    shown = {plain(row["error"]): plain(row["is a"]) for row in rows_with("errors.md", "error", "is a")}
    assert shown == {cls.__name__: ", ".join(_public_bases(cls)) for cls in public}


def _public_bases(cls: type) -> list[str]:
    found: list[str] = []
    for base in cls.__bases__:
        found += _public_bases(base) if base.__name__.startswith("_") else [base.__name__]
    return found


LIMITS = {
    "digits before the point": number_rules.WHOLE_DIGITS,
    "digits after the point": number_rules.PLACES,
    "tags of an order": MAX_TAGS,
    "levels of one side of a depth": MAX_LEVELS,
    "products of an account": MOST_PRODUCTS,
    "rules of squaring off beside each other": MOST_RULES,
    "minutes of each stage of squaring off": MOST_MINUTES,
    "sessions from a trade to its settlement": MOST_SESSIONS,
    "`ttl_minutes` of an order (30 days)": MAX_TTL_MINUTES,
}


def test_limits_on_the_page_are_those_of_the_code() -> None:
    """The figures that the code names are the figures on the page."""
    shown = {row["limit"]: row["at most"] for row in rows_with("limits.md", "limit", "at most")}
    assert {name: shown.get(name) for name in LIMITS} == {name: f"{most:,}" for name, most in LIMITS.items()}


@pytest.mark.parametrize(("name", "most"), [("symbol, account", 64), ("key", 255)])
def test_lengths_of_names_on_the_page_hold(name: str, most: int) -> None:
    """A name of the stated length is accepted, one character more is not."""
    shown = {row["limit"]: row["at most"] for row in rows_with("limits.md", "limit", "at most")}
    found = [int(size) for limit, size in shown.items() if limit.startswith(f"characters of a {name}")]
    assert found == [most]
    broker = pt.open_paper_broker(cash=100, clock="data")
    field = {"symbol, account": "symbol", "key": "client_order_id"}[name]
    broker.on_quote("A" * 64, 1, 2, at=1)
    asked = {"symbol": "A" * 64, "side": "buy", "quantity": 1}
    assert broker.place_order(**{**asked, field: "A" * most}).is_final  # type: ignore[arg-type]
    with pytest.raises(pt.UsageError):
        broker.place_order(**{**asked, field: "A" * (most + 1)})  # type: ignore[arg-type]


def test_details_of_an_instrument_are_on_the_page() -> None:
    """Each detail that ``add_instrument`` takes is named."""
    _, section = text_of("limits.md").split("## Instruments")
    named = set(re.findall(r"`(\w+)` \(", section))
    assert named == {a.name for a in attrs.fields(pt.Instrument) if a.init} - {"symbol"}


CLOSED = (pt.Side, pt.OrderType, pt.TimeInForce, pt.LiquidityRole, pt.CostMethod, pt.AccountKind, pt.Phase)


@pytest.mark.parametrize("closed", CLOSED, ids=lambda closed: closed.__name__)
def test_closed_words_are_listed_whole(closed: type[StrEnum]) -> None:
    """Where the page of names lists the words of an enumeration, it lists all of them, in order."""
    (row,) = (row for row in rows_with("api.md", "name") if plain(row["name"]) == closed.__name__)
    assert words(row["what it is"].rpartition(": ")[2]) == [word.value for word in closed]


def test_order_words_of_the_tables_are_those_of_the_code() -> None:
    """The tables of history name each word that stands in their columns."""
    rows = {plain(row["column of `orders`"]): row for row in rows_with("sql-tables.md", "column of `orders`")}
    for column_name, closed in (("side", pt.Side), ("type", pt.OrderType), ("time_in_force", pt.TimeInForce)):
        assert re.findall(r"`(\w+)`", rows[column_name]["what it holds"]) == [word.value for word in closed]


def test_public_names_are_on_the_page() -> None:
    """Each public name has one row, in the order of ``papertrade.__all__``."""
    assert sorted(column("api.md", "name")) == sorted(pt.__all__)


def test_broker_methods_are_on_the_page() -> None:
    """Each method of the Broker protocol, and each of the paper broker beyond it, has one row."""
    protocol = _methods(Broker)
    assert sorted(column("api.md", "method of a broker")) == sorted(protocol)
    own = [name for cls in (pt.PaperBroker, MarketWindow) for name in _methods(cls) if name not in protocol]
    assert sorted(column("api.md", "method of a paper broker")) == sorted(own)


def test_exchange_methods_are_on_the_page() -> None:
    """Each public method of the exchange has one row."""
    assert sorted(column("api.md", "method of an exchange")) == sorted(_methods(pt.Exchange))


def _methods(cls: type) -> list[str]:
    return [name for name, value in vars(cls).items() if not name.startswith("_") and callable(value)]


# ------------------------------------------------------------------ every page is found


def linked(pages: Iterable[Path]) -> set[Path]:
    return {
        (page.parent / target.split("#")[0]).resolve()
        for page in pages
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target
    }


def test_every_page_is_on_the_map() -> None:
    """docs/README.md leads to every page."""
    entrance = ROOT / "docs" / "README.md"
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md")} - {entrance}
    assert pages <= linked([entrance])


# ------------------------------------------------------------------ the checks can fail


def test_tables_are_read_as_written() -> None:
    page = "text\n\n| a | b |\n| --- | --- |\n| `x` | [y](z) |\n| 1 | |\n\n| c |\n| --- |\n| 2 |\n"
    assert list(tables(page)) == [[{"a": "`x`", "b": "[y](z)"}, {"a": "1", "b": ""}], [{"c": "2"}]]
    assert plain("`x` [y](z)") == "x y"
    assert words("`a`, b") == ["a", "b"]


def test_a_table_that_is_gone_is_reported() -> None:
    with pytest.raises(AssertionError, match="no table"):
        rows_with("fill-rules.md", "no such column")
