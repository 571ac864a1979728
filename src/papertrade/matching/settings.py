"""Fill settings: every market assumption by name, with the presets ``strict``, ``realistic`` and ``lenient``.

Where users of other systems disagree, the choice is a field here. Defaults are pessimistic; kindness has to be asked
for by name, and ``assumptions()`` says in sentences what is in force.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import attrs

from papertrade.domain.instants import SECOND_NS
from papertrade.domain.names import parse_label, parse_name
from papertrade.domain.numbers import (
    SCALE,
    Number,
    parse_count,
    parse_not_negative,
    parse_positive,
    parse_units,
    to_decimal,
)
from papertrade.errors import InvalidValueError
from papertrade.matching.models import FillModel, NoSlippage, SlippageModel


def _one_of(*allowed: str) -> Callable[[object, attrs.Attribute[str], str], None]:
    def check(_: object, attribute: attrs.Attribute[str], value: str) -> None:
        if type(value) is not str or value not in allowed:
            raise InvalidValueError(attribute.name, value, ", ".join(allowed))

    return check


def _name(value: str) -> str:
    return parse_name(value, "name")


def _model(method: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is None and attribute.default is None:
            return
        if not callable(getattr(value, method, None)):
            raise InvalidValueError(attribute.name, value, f"a model with {method}() and a name")
        # The name is stored with every fill, so it has to be text that can be stored.
        parse_label(getattr(value, "name", None), f"{attribute.name}.name")

    return check


def _ticks(value: int) -> int:
    return parse_count(value, "through_ticks", least=1)


def _participation(value: Number) -> Decimal:
    units = parse_positive(value, "participation")
    if units > SCALE:
        raise InvalidValueError("participation", value, "more than 0 and at most 1")
    return to_decimal(units)


def _basis_points(value: Number) -> Decimal:
    return to_decimal(parse_not_negative(value, "half_spread_bp"))


def _collar(value: Number) -> Decimal:
    return to_decimal(parse_not_negative(value, "hold_collar"))


def _age(value: Number | None) -> Decimal | None:
    return None if value is None else to_decimal(parse_positive(value, "max_quote_age_s"))


@attrs.frozen(kw_only=True)
class FillSettings:
    """How orders meet the market. Start from a preset: ``FillSettings.preset("strict", slippage=TickSlippage(1))``.

    Attributes:
        limit_fill: when a print or a bar reaches a resting limit: ``through`` asks for ``through_ticks`` beyond it
            (the queue is unknown), ``touch`` fills at the price itself.
        gap_fill: a resting limit that the market jumped over fills at its ``limit``, or at the ``open`` after the gap
            (post-only orders always at the limit: they never take).
        intrabar: which end of a bar comes first: ``adverse`` (stops before limits), ``adaptive`` (the end nearer to
            the open), ``ohlc`` or ``olhc``.
        bar_entry: a market order placed after a bar fills at the ``open`` of the next or at the ``close`` of this one.
        displayed_size: ``respect`` fills at most what is displayed, ``ignore`` fills in full.
        missing_size: data without a size fills in ``full``, or not at all (``refuse``).
        participation: the share of a bar's volume that one account may take.
        half_spread_bp: what a bare last price is widened by on each side, in basis points.
        stop_trigger: what may trigger a stop: ``any`` datum, the opposite side of a quote included, or ``last``
            prices only (prints, bars and bare last prices).
        stop_through: a stop placed with the market already beyond it is refused (``reject``) or triggers at once.
        oco_partial: a partial fill of a linked order shrinks the other (``reduce``) or cancels it (``cancel``).
        over_funds: an order larger than the funds is refused (``refuse``) or cut to what fits (``fit``).
        auction_price: what an opg or cls order fills at when no auction price comes: ``any`` price that stands for it
            (the first of the session; the last), or nothing (``official``).
        hold_collar: what is held on top of the reference price for an order without a limit.
        max_quote_age_s: the oldest quote that may fill an arriving order; None for any age.
        slippage: moves market and triggered stop fills against the trader.
        fill_model: your own limit on how much fills; None takes what the rules allow.
    """

    name: str = attrs.field(default="realistic", converter=_name)
    limit_fill: str = attrs.field(default="through", validator=_one_of("through", "touch"))
    through_ticks: int = attrs.field(default=1, converter=_ticks)
    gap_fill: str = attrs.field(default="limit", validator=_one_of("limit", "open"))
    intrabar: str = attrs.field(default="adverse", validator=_one_of("adverse", "adaptive", "ohlc", "olhc"))
    bar_entry: str = attrs.field(default="open", validator=_one_of("open", "close"))
    displayed_size: str = attrs.field(default="respect", validator=_one_of("respect", "ignore"))
    missing_size: str = attrs.field(default="full", validator=_one_of("full", "refuse"))
    participation: Decimal = attrs.field(default=Decimal("0.10"), converter=_participation)
    half_spread_bp: Decimal = attrs.field(default=Decimal(5), converter=_basis_points)
    stop_trigger: str = attrs.field(default="any", validator=_one_of("any", "last"))
    stop_through: str = attrs.field(default="reject", validator=_one_of("reject", "trigger"))
    oco_partial: str = attrs.field(default="reduce", validator=_one_of("reduce", "cancel"))
    over_funds: str = attrs.field(default="refuse", validator=_one_of("refuse", "fit"))
    auction_price: str = attrs.field(default="any", validator=_one_of("any", "official"))
    hold_collar: Decimal = attrs.field(default=Decimal("0.05"), converter=_collar)
    max_quote_age_s: Decimal | None = attrs.field(default=None, converter=_age)
    slippage: SlippageModel = attrs.field(factory=NoSlippage, validator=_model("slip"))
    fill_model: FillModel | None = attrs.field(default=None, validator=_model("quantity"))

    # The same as integers and flags, worked out once.
    participation_units: int = attrs.field(init=False, repr=False, eq=False)
    collar_units: int = attrs.field(init=False, repr=False, eq=False)
    half_spread_units: int = attrs.field(init=False, repr=False, eq=False)
    max_age_ns: int | None = attrs.field(init=False, repr=False, eq=False)
    has_models: bool = attrs.field(init=False, repr=False, eq=False)
    label: str = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        put = object.__setattr__
        put(self, "participation_units", parse_units(self.participation))
        put(self, "collar_units", parse_units(self.hold_collar))
        put(self, "half_spread_units", parse_units(self.half_spread_bp))
        age = self.max_quote_age_s
        put(self, "max_age_ns", None if age is None else parse_units(age) * SECOND_NS // SCALE)
        put(self, "has_models", self.fill_model is not None or not isinstance(self.slippage, NoSlippage))
        models = f"{self.name}/1"
        if self.has_models:
            models += f" slippage={self.slippage.name}"
        if self.fill_model is not None:
            models += f" fill={self.fill_model.name}"
        put(self, "label", models)

    @classmethod
    def preset(cls, name: str, **changes: object) -> FillSettings:
        """``strict``, ``realistic`` or ``lenient``, with any field changed by name."""
        if type(name) is not str or name not in PRESETS:
            raise InvalidValueError("preset", name, ", ".join(PRESETS))
        known = {a.name for a in attrs.fields(cls) if a.init} - {"name"}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise InvalidValueError("fill setting", unknown[0], ", ".join(sorted(known)))
        fields = {**PRESETS[name], **changes}
        return cls(name=f"{name}*" if changes else name, **fields)  # type: ignore[arg-type]  # checked per field


PRESETS: MappingProxyType[str, dict[str, object]] = MappingProxyType(
    {
        "strict": {
            "missing_size": "refuse",
            "participation": "0.025",
            "half_spread_bp": 10,
            "through_ticks": 2,
            "auction_price": "official",
        },
        "realistic": {},
        "lenient": {
            "limit_fill": "touch",
            "gap_fill": "open",
            "intrabar": "adaptive",
            "displayed_size": "ignore",
            "participation": 1,
            "half_spread_bp": 0,
            "stop_through": "trigger",
        },
    }
)
"""What each preset changes from the defaults of ``FillSettings``."""


def assumption_sentences(s: FillSettings) -> list[str]:
    """Every assumption in force, as a reader of a report wants it."""
    age = "of any age" if s.max_quote_age_s is None else f"at most {s.max_quote_age_s} s old"
    return [
        f"fill settings: {s.label}",
        f"a resting limit fills on prints and bars by {s.limit_fill}"
        + (f" ({s.through_ticks} tick beyond it)" if s.limit_fill == "through" else ""),
        f"a resting limit that the market gaps over fills at the {s.gap_fill}",
        f"inside a bar the order of high and low is {s.intrabar}",
        f"a market order placed after a bar fills at the {'next open' if s.bar_entry == 'open' else 'same close'}",
        "displayed sizes limit fills" if s.displayed_size == "respect" else "displayed sizes are ignored",
        f"data without a size {'fills in full' if s.missing_size == 'full' else 'fills nothing'}",
        f"one account takes at most {s.participation * 100:f} % of the volume of a bar or an auction",
        f"a bare last price is widened by {s.half_spread_bp} basis points on each side",
        "an opg or cls order without an auction price "
        + (
            "fills at the first price of the session or the last"
            if s.auction_price == "any"
            else "does not fill"
        ),
        f"slippage: {s.slippage.name}; latency: 0",
        f"an arriving order may fill on a quote {age}",
        f"an order without a limit price holds {s.hold_collar * 100:f} % above its reference price",
        f"a stop is triggered by {'any datum' if s.stop_trigger == 'any' else 'prints, bars and last prices'}",
        f"a stop already beyond its price is {'refused' if s.stop_through == 'reject' else 'triggered at once'}",
        f"a partial fill of a linked order {'shrinks' if s.oco_partial == 'reduce' else 'cancels'} the other",
        f"an order larger than the funds is {'refused' if s.over_funds == 'refuse' else 'cut to what fits'}",
    ]
