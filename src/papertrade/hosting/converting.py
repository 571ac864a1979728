"""Converting a position: what is checked before a part of it goes over to another product, and its repetition."""

from __future__ import annotations

from papertrade.domain.events import PositionConverted
from papertrade.domain.numbers import to_decimal
from papertrade.domain.position_keys import position_key, titled
from papertrade.domain.positions import Position
from papertrade.engine.converting import convert as decide_conversion
from papertrade.engine.converting import convertible
from papertrade.engine.hours import is_squared_off
from papertrade.engine.profile import AccountProfile
from papertrade.engine.squaring import would_be_squared_off
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.errors import InvalidValueError, KeyConflictError
from papertrade.hosting.account_reading import stops_if_corrupt
from papertrade.hosting.account_start import AccountStart
from papertrade.hosting.flow import Flow
from papertrade.matching.market import Market


def convert(
    account: AccountStart,
    symbol: str,
    quantity: int,
    products: tuple[object, object],
    command_id: str | None,
    note: str,
) -> Flow[Position]:
    """Let a part of a position go over to another product; answers the position of that."""
    market = account.market(symbol)
    source, target = (_named(account, name, field) for name, field in zip(products, _FIELDS, strict=True))
    if source == target:
        raise InvalidValueError("to_product", target, "another product than from_product")
    commit_id = None if command_id is None else "convert:" + command_id
    asked = (market.symbol, source, target, quantity, note)
    if not (yield from _repeated(account, commit_id, asked)):
        lot = market.instrument.lot_units
        if quantity % lot:
            whole = f"whole lots of {to_decimal(lot)} {market.symbol}"
            raise InvalidValueError("quantity", to_decimal(quantity), whole)
        yield from account.desk.make_ready(account.account, account.desk.now())  # what was due may have closed it
        seat = yield from account.desk.able(account.account)
        now = max(account.desk.now(), seat.state.at_ns)
        _check(seat.state, seat.profile, market, now, quantity, source, target)

        def decide(step: Step) -> None:
            # The clock went on meanwhile, and what came due by it may have closed the position after all.
            _check(step.state, step.profile, market, step.now_ns, quantity, source, target)
            decide_conversion(step, market.symbol, quantity, (source, target), command_id, note)

        yield from account.desk.command(account.account, decide, commit_id)
    return (yield from account.position(symbol, target))


_FIELDS = ("from_product", "to_product")


def _named(account: AccountStart, name: object, field: str) -> str:
    """A product that is named in so many words: a conversion has no default."""
    if type(name) is not str or not name:
        raise InvalidValueError(field, name, "the name of a product")
    return account.product(name)


def _check(
    state: AccountState, profile: AccountProfile, market: Market, now_ns: int, quantity: int, source: str, target: str
) -> None:
    """There is so much to convert, and the other product takes it."""
    symbol = market.symbol
    here = titled(symbol, source)
    position = state.positions.get(position_key(symbol, source))
    if position is None or not position.quantity_units:
        raise InvalidValueError("symbol", here, "a symbol with an open position in from_product")
    free = convertible(position)
    if quantity > free:
        there = f"at most the {to_decimal(free)} {here} that are available"
        raise InvalidValueError("quantity", to_decimal(quantity), there)
    held = state.quantity(position_key(symbol, target))
    if held * position.quantity_units < 0:
        opposite = f"a product that does not hold the other side: {to_decimal(held)} {titled(symbol, target)}"
        raise InvalidValueError("to_product", target, opposite)
    if position.quantity_units < 0 and not profile.may_short(target):
        raise InvalidValueError("to_product", target, f"a product that may be short, for a short of {here}")
    if is_squared_off(state, market, target, now_ns) or would_be_squared_off(profile, market, target, now_ns):
        raise InvalidValueError("to_product", target, "a product that is not being squared off")


@stops_if_corrupt
def _repeated(
    account: AccountStart, commit_id: str | None, asked: tuple[str, str, str, int, str]
) -> Flow[bool]:
    """Was this conversion stored before? Another one under its key is a conflict."""
    key, first = (commit_id or "").partition(":")[2], (yield from account.stored(commit_id))
    for event in first or ():
        if isinstance(event, PositionConverted):
            then = (event.symbol, event.from_product, event.to_product, abs(event.quantity_units), event.note)
            for field, old, new in zip(("symbol", *_FIELDS, "quantity", "note"), then, asked, strict=True):
                if old != new:
                    shown = (to_decimal(part) if isinstance(part, int) else part for part in (old, new))
                    raise KeyConflictError(key, field, *shown)
    return first is not None
