"""Opening an account: from its storage if it has one, else new, with its profile put together from plain words."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from attrs import evolve

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.money import Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import Number, parse_not_negative
from papertrade.domain.words import AccountKind, CostMethod, OutsideHours, parse_enum, parse_flag
from papertrade.engine import cash as cash_moves
from papertrade.engine.profile import AccountProfile
from papertrade.engine.state import AccountState
from papertrade.errors import InvalidValueError, StoreError, UsageError
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.setup import AccountOptions, parse_points
from papertrade.ledger.fees import NoFees, parse_fees
from papertrade.ledger.margin import CashModel, FlatMargin, parse_margin
from papertrade.matching.settings import FillSettings
from papertrade.risk.limits import RiskLimits
from papertrade.risk.squaring_rules import parse_squaring

if TYPE_CHECKING:
    from papertrade.ledger.settlement import Settlement
    from papertrade.risk.products import Product
    from papertrade.risk.square_off import SquareOff

_T = TypeVar("_T")
_Named = TypeVar("_Named", "SquareOff", "Settlement")


# Immutable, so that ten thousand accounts with nothing special share them.
_CASH: Final = CashModel()
_NO_FEES: Final = NoFees()
_NO_LIMITS: Final = RiskLimits()
_DAYS: Final = "a zone such as 'Asia/Kolkata', or a TradingDay such as TradingDay('Asia/Kolkata', calendar='XNSE')"


@cache
def _utc_day() -> TradingDay:
    return TradingDay()


class AccountPlan(NamedTuple):
    """What somebody asked for when opening an account, understood."""

    account: str
    currency: Currency
    kind: AccountKind
    method: CostMethod
    cash_units: int | None  # None: nobody said, so the account has to be there
    profile: AccountProfile
    fresh: bool
    exclusive: bool = False


def plan_account(
    account: str,
    cash: Number | None,
    currency: Currency | str,
    fill: FillSettings,
    start: str,
    options: AccountOptions,
) -> AccountPlan:
    """Check everything before anything happens."""
    known_options = AccountOptions.__optional_keys__
    unknown = sorted(set(options) - known_options)
    if unknown:
        accepted = sorted({"cash", "currency", "fill", "start"} | known_options)
        raise InvalidValueError("option", unknown, ", ".join(accepted))
    known = parse_currency(currency)
    units = None if cash is None else parse_not_negative(cash, "cash")
    if units is not None and units % known.minor_units:
        raise InvalidValueError("cash", cash, f"an amount in whole {known.decimals}-decimal units of {known.code}")
    account_kind = parse_enum(options.get("kind", "cash"), AccountKind, "kind")
    squares = options.get("square_off")
    settles = options.get("settlement")
    products = options.get("products")
    margin, fees, limits = options.get("margin"), options.get("fees"), options.get("limits")
    if margin is None:
        margin = _CASH if account_kind is AccountKind.CASH else FlatMargin()
    elif account_kind is AccountKind.CASH and not isinstance(parse_margin(margin, "margin"), CashModel):
        account_kind = AccountKind.MARGIN
    if type(start) is not str or start not in ("keep", "fresh"):
        raise InvalidValueError("start", start, "'keep' what is stored, or 'fresh' to insist that nothing is")
    model = parse_margin(margin, "margin")
    profile = AccountProfile(
        fill=_checked(fill, FillSettings, "fill"),
        fees=_NO_FEES if fees is None else parse_fees(fees, "fees"),
        margin=model,
        limits=_checked(_NO_LIMITS if limits is None else limits, RiskLimits, "limits"),
        trading_day=_trading_day(options.get("trading_day")),
        outside_hours=parse_enum(options.get("outside_hours", "queue"), OutsideHours, "outside_hours"),
        square_off=() if squares is None else tuple(map(_by_all_names, parse_squaring(squares))),
        points_ns=parse_points(options.get("equity_points", "off")),
        settlement=None if settles is None else _settlement(settles),
        products=() if products is None else _products(products, model.may_short),
    )
    alone = parse_flag(options.get("exclusive", False), "exclusive")
    method = parse_enum(options.get("cost_method", "average"), CostMethod, "cost_method")
    name = parse_name(account, "account")
    return AccountPlan(name, known, account_kind, method, units, profile, start == "fresh", alone)


def _trading_day(value: object) -> TradingDay:
    if value is None:
        return _utc_day()
    if isinstance(value, TradingDay):
        return value
    with suppress(InvalidValueError):
        if type(value) is str:
            return TradingDay(value)
    raise InvalidValueError("trading_day", value, _DAYS)


def _settlement(value: object) -> Settlement:
    from papertrade.ledger.settlement import parse_settlement  # not before somebody asks for it

    return _by_all_names(parse_settlement(value))


def _products(value: object, may_short: bool) -> tuple[Product, ...]:
    from papertrade.risk.products import parse_products  # not before somebody asks for some

    found = parse_products(value, may_short)
    return tuple(
        evolve(product, square_off=tuple(map(_by_all_names, product.square_off))) if product.square_off else product
        for product in found
    )


def _checked(value: object, cls: type[_T], field: str) -> _T:
    if not isinstance(value, cls):
        raise InvalidValueError(field, value, f"a {cls.__name__}")
    return value


def _by_all_names(rule: _Named) -> _Named:
    """A rule for "NSE" is one for what calls itself XNSE; a calendar of one's own may be called NSE too."""
    return rule if rule.calendars is None else evolve(rule, calendars=_all_names(rule.calendars))


def _all_names(names: tuple[str, ...]) -> list[str]:
    from papertrade.calendars.builtin import proper_name

    return [*names, *map(proper_name, names)]


def open_account(desk: Desk, plan: AccountPlan) -> Flow[None]:
    """Seat the account: as it stands when it is open already, as it is stored, or new. Never a reset."""
    name = plan.account
    if not plan.exclusive:
        stop = desk.stopped.get(name)
        if stop is not None and stop.fenced:
            del desk.stopped[name]  # perhaps its owner gave it up
        yield from _open(desk, plan)
        return
    found = yield from _look(desk, plan)  # a mistake in the words takes the account from nobody
    had = name in desk.fences
    try:
        yield from desk.take(name)
        head: int = yield desk.store.head, (name,)
        # From here on nobody else writes: what was read before holds if nothing came in between.
        yield from _open(desk, plan, found if found is not None and found.version == head else None)
    except Exception:
        if not had:  # what was ours before, open and in order, stays ours
            with suppress(StoreError):  # whoever comes next takes it away
                yield from desk.give_up(name)
        raise


def _look(desk: Desk, plan: AccountPlan) -> Flow[AccountState | None]:
    """Refuse what cannot be opened like this; answers the account as it is stored, unless it is open already."""
    seat = desk.engine.seats.get(plan.account)
    state = (yield from desk.stored_state(plan.account)) if seat is None else seat.state
    if state is None:
        _check_cash(plan)
    else:
        desk.check_listed(state)
        _check_words(plan, state)
        if seat is None:
            _check_products(plan, state)
    return state if seat is None else None


def _open(desk: Desk, plan: AccountPlan, state: AccountState | None = None) -> Flow[None]:
    name = plan.account
    if name in desk.stale or name in desk.stopped:
        yield from desk.reload(name)
    seat = desk.engine.seats.get(name)
    if seat is None:
        if state is None:
            state = yield from desk.stored_state(name)
        if state is not None:
            _check_products(plan, state)
            seat = yield from desk.begun_before(state, plan.profile)
    if seat is None:
        yield from _open_new(desk, plan)
        return
    _check_words(plan, seat.state)


def _check_words(plan: AccountPlan, state: AccountState) -> None:
    name = plan.account
    if plan.fresh:
        raise UsageError(f"account {name!r} has a history; open it with start='keep', or choose another name")
    for what, found, asked in (
        ("kind", state.account_kind, plan.kind),
        ("cost_method", state.cost_method, plan.method),
    ):
        if found != asked:
            raise UsageError(f"account {name!r} was opened with {what}={str(found)!r}, not {str(asked)!r}")
    if state.currency != plan.currency.code:
        raise UsageError(f"account {name!r} keeps {state.currency}, not {plan.currency.code}")


def _check_products(plan: AccountPlan, state: AccountState) -> None:
    """What is held or ordered has to be of a product that there still is."""
    names = [product.name for product in plan.profile.products] or [""]
    held = [(position.symbol, position.product) for position in state.holdings.values()]
    for symbol, product in (*held, *((o.terms.symbol, o.terms.product) for o in state.orders.values())):
        if product not in names:
            found = f"product {product!r}" if product else "no product"
            raise UsageError(
                f"account {plan.account!r} holds or trades {symbol} in {found}; open it with such products that "
                "this is one of them, and close what it has there before you leave it out"
            )


def _open_new(desk: Desk, plan: AccountPlan) -> Flow[None]:
    units = _check_cash(plan)
    step = desk.engine.new_step(plan.profile, desk.now())
    cash_moves.open_account(step, plan.account, plan.currency, plan.kind, plan.method, units)
    yield from desk.begin_account(step, None)


def _check_cash(plan: AccountPlan) -> int:
    if plan.cash_units is None:
        raise InvalidValueError("cash", None, f"an amount to begin with, because account {plan.account!r} is new")
    return plan.cash_units
