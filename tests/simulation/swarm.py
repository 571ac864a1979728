"""Swarm profiles: each run leaves things out. A run without cancels fills the index, a run of nothing but market orders

runs out of cash, a run on one host meets bugs that two hosts would hide. Uniform mixtures find less.
"""

from __future__ import annotations

from random import Random

import attrs

from papertrade.calendars.builtin import calendar
from papertrade.ledger.margin import CashModel
from papertrade.matching.models import NoSlippage
from papertrade.risk.limits import RiskLimits
from papertrade.testing.chance import START, draw_neighbor, draw_setup, with_hours, with_products, with_settlement
from papertrade.testing.drawing import Mix
from papertrade.testing.drawing_data import KINDS
from papertrade.testing.oracle.vocabulary import Setup

from .auditor.facts import Facts

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
# First instants of runs: a plain Monday, and the evenings before clocks change, years end and leap days come.
STARTS = (
    START,
    START,
    1_772_920_800 * SECOND,  # 2026-03-07T22:00Z: New York leaps ahead in the night
    1_774_735_200 * SECOND,  # 2026-03-28T22:00Z: Europe does
    1_793_484_000 * SECOND,  # 2026-10-31T22:00Z: New York falls back, an hour comes twice
    1_798_740_000 * SECOND,  # 2026-12-31T18:00Z: a year ends in Kolkata, then in UTC
    1_835_391_600 * SECOND,  # 2028-02-28T23:00Z: a leap day
)
HOURS_SHARE = 0.25
SETTLING_SHARE = 0.15
PRODUCTS_SHARE = 0.15
FRIDAYS = (
    1_772_829_000 * SECOND,  # 2026-03-06T20:30Z: half an hour to the last close before New York leaps ahead
    1_793_388_600 * SECOND,  # 2026-10-30T19:30Z: and to the last one before it falls back
    1_767_624_600 * SECOND,  # 2026-01-05T14:50Z: a Monday, twenty minutes after the open
)


@attrs.frozen
class Profile:
    """What is on in a run, and how often."""

    setups: tuple[Setup, ...]
    hosts: int
    start_ns: int
    kinds: tuple[int, ...]  # weights of quote, bare price, print, bar, depth
    mix: Mix
    datum: float  # the share of turns that bring market data
    change: float  # of the commands: modify, cancel, link
    event: float  # of the commands: halts, closing, cash, latches
    repeat: float  # a keyed command sent again
    misuse: float  # something that has to be refused as misuse
    fault: float  # a store call goes wrong
    crash: float  # a process dies between two turns
    snapshot: float
    clock_error: float  # a process's clock is set wrong
    jump: float  # hours or days pass at once
    gap: float  # a datum misses a process
    every_events: int = 0  # how often its processes take a snapshot by themselves; 0 for never
    start: float = 0.0  # an account is copied, gets positions, or begins again
    auction: float = 0.0  # an order for an auction, the price of one, or the hour of one
    exclusive: bool = False  # a process takes an account before it works on it

    @property
    def calm(self) -> bool:
        """Does nothing go wrong but what traders do? Then the slow oracle can run the same commands."""
        return self.hosts == 1 and not (self.fault or self.crash or self.clock_error)


def draw_profile(rng: Random) -> Profile:
    """A random subset of everything, with random weights."""

    def some(chance: float, most: float) -> float:
        return rng.uniform(0, most) if rng.random() < chance else 0.0

    first = draw_setup(rng)
    names = [f"acc{number}" for number in range(1, rng.choice((1, 1, 2, 4)))]
    start_ns = rng.choice(STARTS)
    if not first.data_clock:
        first = attrs.evolve(first, start_ns=start_ns)
    setups = (first, *(draw_neighbor(rng, first, name) for name in names))
    kinds = tuple(weight if rng.random() < 0.7 else 0 for weight in KINDS)
    troubled = rng.random() < 0.6
    hosts = rng.choice((1, 1, 2, 3)) if troubled else 1
    profile = Profile(
        setups=setups,
        hosts=hosts,
        start_ns=start_ns,
        kinds=kinds if any(kinds) else KINDS,
        mix=_mix(rng, troubled),
        datum=rng.choice((0.3, 0.5, 0.5, 0.7)),
        change=some(0.8, 0.5),
        event=some(0.8, 0.3),
        repeat=some(0.5, 0.2),
        misuse=some(0.5, 0.1),
        fault=some(0.8, 0.15) if troubled else 0.0,
        crash=some(0.7, 0.05) if troubled else 0.0,
        snapshot=some(0.5, 0.05),
        clock_error=some(0.4, 0.05) if troubled and not first.data_clock else 0.0,
        jump=some(0.5, 0.03),
        gap=some(0.4, 0.3) if hosts > 1 else 0.0,
    )
    profile = _plain(profile) if rng.random() > 0.9 else profile
    # Drawn apart, so that the runs that are known by their seeds stay what they were.
    apart = Random(repr(profile.mix))
    every_events = apart.choice((0, 0, 7, 40))
    start = apart.choice((0.0, 0.0, 0.01, 0.03))
    exclusive = hosts > 1 and apart.random() < 0.4
    profile = attrs.evolve(profile, every_events=every_events, start=start, exclusive=exclusive)
    profile = in_hours(Random(f"{profile.mix!r} in hours"), profile)
    profile = settling_later(Random(f"{profile.mix!r} settles"), profile)
    profile = by_product(Random(f"{profile.mix!r} by product"), profile)
    if profile.setups[0].hours is None:
        return profile
    auction = Random(f"{profile.mix!r} in auctions").choice((0.0, 0.08, 0.25))
    return attrs.evolve(profile, auction=auction)


def in_hours(rng: Random, profile: Profile) -> Profile:
    """In a share of the runs markets open and close: many times a day, or as New York does around a clock change."""
    if rng.random() > HOURS_SHARE:
        return profile
    first = with_hours(rng, profile.setups[0])
    others = [with_hours(rng, setup) for setup in profile.setups[1:]]
    setups = [first, *(attrs.evolve(other, instruments=first.instruments) for other in others)]
    if rng.random() < 0.7:
        return attrs.evolve(profile, setups=tuple(setups))
    hours, start_ns = calendar("XNYS"), rng.choice(FRIDAYS)
    if not first.data_clock:
        setups = [attrs.evolve(setup, start_ns=start_ns) for setup in setups]
    instruments = tuple(
        attrs.evolve(i, calendar=hours.name if i.calendar else None) for i in first.instruments
    )
    setups = [attrs.evolve(setup, instruments=instruments, hours=hours) for setup in setups]
    jump = max(profile.jump, 0.04)  # most of a week New York is closed
    return attrs.evolve(profile, setups=tuple(setups), start_ns=start_ns, jump=jump)


def settling_later(rng: Random, profile: Profile) -> Profile:
    """In a share of the runs trades settle on a later day."""
    if rng.random() > SETTLING_SHARE:
        return profile
    return attrs.evolve(profile, setups=tuple(with_settlement(rng, setup) for setup in profile.setups))


def by_product(rng: Random, profile: Profile) -> Profile:
    """In a share of the runs accounts have products, each its own."""
    if rng.random() > PRODUCTS_SHARE:
        return profile
    return attrs.evolve(profile, setups=tuple(with_products(rng, setup) for setup in profile.setups))


def _plain(profile: Profile) -> Profile:
    """What most strategies send: market orders of a cash account without limits, on quotes. They have a short way."""
    first, *others = profile.setups
    fill = attrs.evolve(first.fill, slippage=NoSlippage(), fill_model=None, max_quote_age_s=None)
    first = attrs.evolve(first, margin=CashModel(), limits=RiskLimits(), fill=fill)
    mix = attrs.evolve(profile.mix, pair=0.0, resting=0.0, limit=0.1, stop=0.0, linked=0.0, waits=1.0, reduce_only=0.0)
    return attrs.evolve(profile, setups=(first, *others), kinds=(1, 0, 0, 0, 0), mix=mix)


def facts_of(setup: Setup) -> Facts:
    """What the auditor is told of an account."""
    return Facts(
        account=setup.account,
        instruments=setup.instruments,
        currency=setup.currency.code,
        decimals=setup.currency.decimals,
        kind="margin" if setup.margin.marked_to_market else "cash",
        margin=setup.margin,
        fees=setup.fees,
        limits=setup.limits,
        equity_points=setup.equity_points,
        fill=setup.fill,
        cost_method=setup.cost_method,
        trading_day=setup.trading_day,
        start_cash_units=setup.cash_units,
        hours={i.symbol: hours.name for i in setup.instruments if (hours := setup.hours_of(i)) is not None},
        outside_hours=setup.outside_hours.value,
        square_off=setup.square_off,
        settlement=setup.settlement,
        products=setup.products,
    )


def _mix(rng: Random, troubled: bool) -> Mix:
    def either(*weights: float) -> float:
        return rng.choice(weights)

    return Mix(
        repeat=0.0,  # repetitions are turns of their own here
        pair=either(0, 0.08, 0.3),
        resting=either(0, 0.4, 0.8),
        limit=either(0, 0.5, 0.9),
        stop=either(0, 0.35, 0.7),
        linked=either(0, 0.12, 0.4),
        waits=either(0, 0.75, 1),
        notional=either(0, 0.08),
        post_only=either(0, 0.15, 0.5),
        keyed=either(0.3, 0.6, 1) if troubled else either(0, 0.1, 0.5),
        reduce_only=either(0, 0.2, 0.5),
        cancel=either(0, 0.3, 0.5),
        cancel_all=either(0, 0.02),
        link=either(0, 0.18),
    )
