"""Fill settings: presets, what each says of itself, and how a setting that makes no sense is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import papertrade as pt
from papertrade.domain.numbers import SCALE
from papertrade.errors import InvalidValueError
from papertrade.matching.models import Candidate, NoSlippage
from papertrade.matching.settings import FillSettings, assumption_sentences
from papertrade.matching.slippage import BasisPointSlippage, TickSlippage


class Half:
    """A fill model that grants half."""

    name = "half"

    def quantity(self, candidate: Candidate) -> Decimal:
        return candidate.quantity / 2


class Nameless:
    """A model of everything that did not say its name."""

    def quantity(self, candidate: Candidate) -> int:
        return 0

    def slip(self, candidate: Candidate) -> int:
        return 0


REALISTIC = [
    "fill settings: realistic/1",
    "a resting limit fills on prints and bars by through (1 tick beyond it)",
    "a resting limit that the market gaps over fills at the limit",
    "inside a bar the order of high and low is adverse",
    "a market order placed after a bar fills at the next open",
    "displayed sizes limit fills",
    "data without a size fills in full",
    "one account takes at most 10.0 % of the volume of a bar or an auction",
    "a bare last price is widened by 5 basis points on each side",
    "an opg or cls order without an auction price fills at the first price of the session or the last",
    "slippage: none; latency: 0",
    "an arriving order may fill on a quote of any age",
    "an order without a limit price holds 5.00 % above its reference price",
    "a stop is triggered by any datum",
    "a stop already beyond its price is refused",
    "a partial fill of a linked order shrinks the other",
    "an order larger than the funds is refused",
]
OTHER = {
    "name": "mine", "limit_fill": "touch", "gap_fill": "open", "intrabar": "adaptive", "bar_entry": "close",
    "displayed_size": "ignore", "missing_size": "refuse", "participation": 1, "half_spread_bp": 0,
    "stop_trigger": "last", "stop_through": "trigger", "oco_partial": "cancel", "over_funds": "fit",
    "auction_price": "official", "hold_collar": 0, "max_quote_age_s": "1.5", "slippage": TickSlippage(2),
    "fill_model": Half(),
}  # fmt: skip
SAID = [
    "fill settings: mine/1 slippage=2 ticks fill=half",
    "a resting limit fills on prints and bars by touch",
    "a resting limit that the market gaps over fills at the open",
    "inside a bar the order of high and low is adaptive",
    "a market order placed after a bar fills at the same close",
    "displayed sizes are ignored",
    "data without a size fills nothing",
    "one account takes at most 100 % of the volume of a bar or an auction",
    "a bare last price is widened by 0 basis points on each side",
    "an opg or cls order without an auction price does not fill",
    "slippage: 2 ticks; latency: 0",
    "an arriving order may fill on a quote at most 1.5 s old",
    "an order without a limit price holds 0 % above its reference price",
    "a stop is triggered by prints, bars and last prices",
    "a stop already beyond its price is triggered at once",
    "a partial fill of a linked order cancels the other",
    "an order larger than the funds is cut to what fits",
]


@pytest.mark.parametrize(
    ("settings", "sentences"), [(FillSettings(), REALISTIC), (FillSettings(**OTHER), SAID)]  # type: ignore[arg-type]
)
def test_every_assumption_is_said_in_a_sentence(settings: FillSettings, sentences: list[str]) -> None:
    """Each setting has one sentence that changes with it, so that a report leaves nothing to guess."""
    assert assumption_sentences(settings) == sentences


def test_presets_change_what_they_promise() -> None:
    """``realistic`` is the default; ``strict`` is harder and ``lenient`` kinder, field by field."""
    assert FillSettings.preset("realistic") == FillSettings()
    strict = FillSettings.preset("strict")
    assert strict == FillSettings(
        name="strict", missing_size="refuse", participation="0.025", half_spread_bp=10, through_ticks=2,
        auction_price="official",
    )
    assert FillSettings.preset("lenient") == FillSettings(
        name="lenient", limit_fill="touch", gap_fill="open", intrabar="adaptive", displayed_size="ignore",
        participation=1, half_spread_bp=0, stop_through="trigger",
    )  # fmt: skip


def test_a_changed_preset_says_that_it_was_changed() -> None:
    """A star behind the name tells a reader of a fill that this is not the preset as it comes."""
    settings = FillSettings.preset("strict", slippage=TickSlippage(1))
    assert (settings.name, settings.label) == ("strict*", "strict*/1 slippage=1 ticks")
    assert settings.participation == Decimal("0.025")
    assert FillSettings.preset("strict").label == "strict/1"
    assert FillSettings(fill_model=Half()).label == "realistic/1 slippage=none fill=half"


def test_figures_are_worked_out_exactly() -> None:
    """Shares, collars and ages become the integers that the engine compares with."""
    settings = FillSettings(participation="0.25", hold_collar="0.07", half_spread_bp="2.5", max_quote_age_s="0.25")
    assert settings.participation_units == SCALE // 4
    assert settings.collar_units == 7 * SCALE // 100
    assert settings.half_spread_units == 5 * SCALE // 2
    assert settings.max_age_ns == 250_000_000
    assert type(settings.max_age_ns) is int
    assert FillSettings().max_age_ns is None


def test_models_are_noticed() -> None:
    """Fills skip the models only where there are none that could say anything."""
    assert not FillSettings(slippage=NoSlippage()).has_models
    assert FillSettings(slippage=BasisPointSlippage(0)).has_models
    assert FillSettings(fill_model=Half()).has_models


MISTAKES: list[tuple[dict[str, Any], str, object, str | None]] = [
    ({"name": ""}, "name", "", None),
    ({"limit_fill": "near"}, "limit_fill", "near", "through, touch"),
    ({"limit_fill": ["touch"]}, "limit_fill", ["touch"], "through, touch"),
    ({"gap_fill": None}, "gap_fill", None, "limit, open"),
    ({"intrabar": "open"}, "intrabar", "open", "adverse, adaptive, ohlc, olhc"),
    ({"through_ticks": 0}, "through_ticks", 0, "a whole number of at least 1"),
    ({"participation": 0}, "participation", 0, "a number above 0"),
    ({"participation": "1.01"}, "participation", "1.01", "more than 0 and at most 1"),
    ({"half_spread_bp": -1}, "half_spread_bp", -1, "0 or more"),
    ({"hold_collar": -1}, "hold_collar", -1, "0 or more"),
    ({"max_quote_age_s": 0}, "max_quote_age_s", 0, "a number above 0"),
    ({"slippage": None}, "slippage", None, "a model with slip() and a name"),
    ({"slippage": "2 ticks"}, "slippage", "2 ticks", "a model with slip() and a name"),
    ({"slippage": Nameless()}, "slippage.name", None, None),
    ({"fill_model": 0.5}, "fill_model", 0.5, "a model with quantity() and a name"),
    ({"fill_model": Nameless()}, "fill_model.name", None, None),
]


@pytest.mark.parametrize(("fields", "field", "found", "accepted"), MISTAKES)
def test_a_setting_that_makes_no_sense_is_named(
    fields: dict[str, Any], field: str, found: object, accepted: str | None
) -> None:
    """The error says which setting, what was found, and what is accepted; through a preset as well."""
    for make in (FillSettings, lambda **f: FillSettings.preset("strict", **f)):
        if "name" in fields and make is not FillSettings:
            continue
        with pytest.raises(InvalidValueError) as caught:
            make(**fields)
        error = caught.value
        assert (error.field, error.found) == (field, found)
        assert accepted is None or error.accepted == accepted


@pytest.mark.parametrize(
    ("name", "fields", "field", "found", "accepted"),
    [
        ("kind", {}, "preset", "kind", "strict, realistic, lenient"),
        (None, {}, "preset", None, "strict, realistic, lenient"),
        ([], {}, "preset", [], "strict, realistic, lenient"),
        ("strict", {"slip": 1, "labels": 2}, "fill setting", "labels", None),
        ("strict", {"label": "x"}, "fill setting", "label", None),
        ("strict", {"max_age_ns": 5}, "fill setting", "max_age_ns", None),
    ],
)
def test_an_unknown_preset_or_setting_is_named(
    name: Any, fields: dict[str, Any], field: str, found: object, accepted: str | None
) -> None:
    """A preset knows the settings that can be set, by name; the first unknown one is named."""
    with pytest.raises(InvalidValueError) as caught:
        FillSettings.preset(name, **fields)
    error = caught.value
    assert (error.field, error.found) == (field, found)
    if accepted is None:
        accepted = ", ".join(sorted(set(OTHER) - {"name"} | {"through_ticks"}))
    assert error.accepted == accepted


def test_settings_reach_the_account() -> None:
    """What an account assumes begins with its fill settings, in the words of this module."""
    broker = pt.open_paper_broker(cash=1, fill=FillSettings(**OTHER), clock="data")  # type: ignore[arg-type]
    assert broker.assumptions()[: len(SAID)] == SAID
