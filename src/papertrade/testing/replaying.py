"""Replaying a recording: line by line to another exchange, which then makes the same events, to the byte.

A line is data from outside: it is read strictly, may only name what is in the table below, and whatever is wrong with
it is a ``RecordingError`` with its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from papertrade.codec.canonical import from_bytes
from papertrade.domain.instants import instant_of_text
from papertrade.domain.orders import OrderRequest
from papertrade.errors import StoreCorruptError, UsageError
from papertrade.exchange import Exchange
from papertrade.matching.settings import FillSettings
from papertrade.paper import PaperBroker
from papertrade.ports.clock import DataClock, ManualClock
from papertrade.testing.recorded_values import Json, RecordingError, made
from papertrade.testing.recording_desk import version_of

FORMAT: Final = "papertrade recording 1"
MOST_BYTES: Final = 1 << 20

_ORDER: Final = "symbol side quantity notional limit_price stop_price time_in_force expires_at"
_WHEN: Final = "ttl_minutes extended_hours after_market post_only reduce_only product"
_KEYED: Final = f"{_ORDER} {_WHEN} oco_with client_order_id tags"
_RULES: Final = (
    "kind margin fees limits fill cost_method trading_day outside_hours square_off equity_points settlement products"
)
# what a line may do: the fields it may have, and must have
EXCHANGE: Final[dict[str, tuple[str, str]]] = {
    "add_instrument": ("symbol", "symbol"),
    "list_unknown_in": ("currency", "currency"),
    "set_price_band": ("symbol band", "symbol band"),
    "use_calendar": ("calendar", "calendar"),
    "open_account": (f"account cash currency {_RULES} start", "account"),
    "clone_account": ("source target note command_id", "source target"),
    "market": ("symbol", "symbol"),
    "on_quote": ("symbol bid ask bid_size ask_size at sequence", "symbol"),
    "on_price": ("symbol price at", "symbol price"),
    "on_trade": ("symbol price size aggressor at sequence", "symbol price"),
    "on_auction": ("symbol price size auction at", "symbol price auction"),
    "on_bar": ("symbol open high low close volume start end", "symbol open high low close"),
    "on_depth": ("symbol bids asks at", "symbol"),
    "on_halt": ("symbol", "symbol"),
    "on_resume": ("symbol", "symbol"),
    "advance": ("to", ""),
}
ACCOUNT: Final[dict[str, tuple[str, str]]] = {
    "place_order": (_KEYED, "symbol side"),
    "place_oco": ("first second", "first second"),
    "link_orders": ("one two", "one two"),
    "modify_order": ("order_id quantity limit_price stop_price expires_at command_id", "order_id"),
    "cancel_order": ("order_id", "order_id"),
    "cancel_all_orders": ("symbol", ""),
    "close_position": ("symbol quantity product client_order_id", "symbol"),
    "close_all_positions": ("", ""),
    "convert_position": ("symbol quantity from_product to_product command_id note", "symbol quantity"),
    "deposit": ("amount command_id note", "amount"),
    "withdraw": ("amount command_id note", "amount"),
    "reset": ("cash command_id note", "cash"),
    "import_positions": ("positions command_id note", "positions"),
    "kill": ("", ""),
    "reset_limit": ("limit command_id", "limit"),
}
# what has to be said even when it is None: of a datum, and of a conversion that is refused for it
_SAID: Final = {
    "on_quote": ("bid", "ask"),
    "on_depth": ("bids", "asks"),
    "convert_position": ("from_product", "to_product"),
}


def replay(
    lines: Iterable[str], exchange: Exchange | None = None, *, own: Mapping[str, object] | None = None
) -> Exchange:
    """Give a recording to an exchange, or to a new one, and answer it.

    Args:
        lines: the lines of a recording, the first one first.
        exchange: one that nothing was given to yet. Its clock is ``"data"`` for a recording under that clock, and a
            ``ManualClock`` for any other, because the recording says what time it is.
        own: fee, margin, fill and slippage models of your own, by the names that the recording has for them, and
            calendars that are no ``Calendar``.
    """
    replaying: _Replay | None = None
    for count, line in enumerate(lines, 1):
        try:
            record = _read(line)
            if replaying is None:
                replaying = _Replay(record, exchange, own or {})
            else:
                replaying.give(record)
        except RecordingError as why:
            raise RecordingError(count, why.why) from why.__cause__
        except UsageError as why:
            raise RecordingError(count, f"{type(why).__name__}: {why}") from why
    if replaying is None:
        raise RecordingError(1, "there is none")
    return replaying.exchange


def _read(line: object) -> dict[str, Json]:
    if type(line) is not str:
        raise RecordingError(0, f"found {type(line).__name__}; accepted: text")
    try:
        record = from_bytes(line.removesuffix("\n").encode("utf-8"), MOST_BYTES)
    except (StoreCorruptError, UnicodeEncodeError):
        raise RecordingError(0, "it is not a line of canonical JSON as a recording has them") from None
    if not isinstance(record, dict) or type(record.get("do")) is not str:
        raise RecordingError(0, "it does not say what to do")
    return record


class _Replay:
    """An exchange that is given a recording, line by line."""

    def __init__(self, header: dict[str, Json], exchange: Exchange | None, own: Mapping[str, object]) -> None:
        if header["do"] != FORMAT or header.get("clock") not in ("data", "manual"):
            raise RecordingError(0, f"found {header['do'][:60]!r}; accepted: {FORMAT!r} with its clock")
        fill = made(header.get("fill"), own)
        if not isinstance(fill, FillSettings):
            raise RecordingError(0, "its fill settings are missing")
        self.own = own
        self.data = header["clock"] == "data"
        hours = made(header.get("calendar"), own)
        self.exchange = exchange or Exchange(clock="data" if self.data else ManualClock(), fill=fill, calendar=hours)
        self.brokers: dict[str, PaperBroker] = {}
        self.clock = self.exchange._desk.clock
        if not isinstance(self.clock, DataClock if self.data else ManualClock):
            needed = "'data'" if self.data else "a ManualClock at the beginning of time, ManualClock()"
            raise RecordingError(0, f"this exchange has another clock than the recording; it needs {needed}")
        if self.exchange._floor.fill != fill:
            raise RecordingError(0, f"this exchange has other fill settings than the recording: {fill}")
        named = hours if hours is None or type(hours) is str else hours.name
        if named != (None if self.exchange._desk.hours is None else self.exchange._desk.hours.name):
            raise RecordingError(0, f"this exchange has another calendar than the recording, which has {named!r:.80}")

    def give(self, record: dict[str, Json]) -> None:
        """One line to the exchange; it must end as it did when it was recorded."""
        do = record.pop("do")
        refused, failed = record.pop("refused", None), record.pop("failed", None)
        version = record.pop("version", None)
        if failed is not None:
            raise RecordingError(0, f"{do} failed here with {str(failed)[:60]}; a replay cannot repeat a failure")
        self._set_clock(record.pop("now", None))
        account = record.get("account")
        try:
            self._call(do, record)
        except RecordingError:
            raise
        except UsageError as why:
            if type(why).__name__ != refused:
                raise
        else:
            if refused is not None:
                raise RecordingError(0, f"{do} was refused with {str(refused)[:60]}, and now it was not")
        if version is not None:
            self._check(account, version)

    def _set_clock(self, now: Json) -> None:
        if isinstance(self.clock, ManualClock):
            if type(now) is not str:
                raise RecordingError(0, "it does not say what time it is")
            self.clock.set(instant_of_text(now))
        elif now is not None:
            raise RecordingError(0, "it says what time it is, which only the data do here")

    def _call(self, do: str, fields: dict[str, Json]) -> None:
        known = EXCHANGE.get(do) or ACCOUNT.get(do)
        if known is None:
            raise RecordingError(0, f"found {do[:60]!r}; accepted: {', '.join((*EXCHANGE, *ACCOUNT))}")
        target: object = self.exchange
        if do in ACCOUNT:
            target = self._broker(fields.pop("account", None))
        _check_fields(do, fields, *known)
        method: Callable[..., object] = getattr(target, do)
        answer = method(**self._ready(do, fields))
        if do in ("open_account", "clone_account") and isinstance(answer, PaperBroker):
            self.brokers[answer.account_id] = answer

    def _ready(self, do: str, fields: dict[str, Json]) -> dict[str, Any]:
        """The arguments of a call: what was written as an object is one again."""
        if do in ("open_account", "add_instrument", "list_unknown_in", "use_calendar"):
            return {name: made(value, self.own) for name, value in fields.items()}
        if do == "place_oco":
            for name, request in fields.items():
                if not isinstance(request, dict):
                    raise RecordingError(0, f"{name} is not an order")
                _check_fields(name, request, _KEYED, "symbol side")
            return {name: OrderRequest(**request) for name, request in fields.items()}
        return {**dict.fromkeys(_SAID.get(do, ())), **fields}

    def _broker(self, account: Json) -> PaperBroker:
        found = self.brokers.get(account) if type(account) is str else None
        if found is None:
            raise RecordingError(0, f"account {str(account)[:60]!r} was not opened before this line")
        return found

    def _check(self, account: Json, version: Json) -> None:
        """Where the recording says how far an account had come, this one must have come as far."""
        here = version_of(self.exchange._desk.engine.seats, str(account))
        if here != version:
            here_and_there = f"version {here} here, {str(version)[:20]} in the recording"
            raise RecordingError(0, f"account {account!r} is at {here_and_there}: it did not begin as it did there")


def _check_fields(what: str, fields: dict[str, Json], known: str, needed: str) -> None:
    unknown = sorted(fields.keys() - set(known.split()))
    missing = [name for name in needed.split() if name not in fields]
    if unknown or missing:
        wrong = f"no {missing[0]}" if missing else f"a field {unknown[0][:60]!r}"
        raise RecordingError(0, f"{what} with {wrong}; accepted: {known or 'no field'}")
