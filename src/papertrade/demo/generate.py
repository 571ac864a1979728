"""Makes the bundled trading day from a seed: `python -m papertrade.demo.generate PATH` writes it.

The day is invented. Nothing in it was recorded from a market, so it may be shipped and changed freely.

Two rules hold in this file:

- Integers only. Prices are whole ticks of 0.01, times are milliseconds since the open, and chance comes from
  a generator written out below. So the same seed gives the same bytes on every machine and Python version.
- Each symbol draws from a stream of its own. A change to one symbol's plan leaves the other's rows alone.

The story of the day: ACME dips in the morning, rallies past its open, loses about one per cent between two
quotes at 18:30 (a stop below the market fills worse than its trigger), and recovers part of it. ZINC drifts.
"""

import argparse
import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEADER = "at,symbol,kind,bid,ask,bid_size,ask_size,price,size"

_DATE = "2026-01-05"
_OPEN_MINUTE = 14 * 60 + 30  # of the UTC day: 09:30 in New York
_MINUTE = 60_000
_SESSION = 390 * _MINUTE
_NEWS = 240 * _MINUTE  # 18:30 UTC, when ACME gaps
_UNSETTLED = 30 * _MINUTE  # how long spreads stay wide after the open and after the news
_TRADES_PER_100_QUOTES = 40
_MASK = (1 << 64) - 1


class _Plan(NamedTuple):
    """What one symbol does all day: the price it circles, how far it strays, how often it is quoted."""

    symbol: str
    path: tuple[tuple[int, int], ...]  # (minute since the open, ticks), joined by straight lines
    reach: int  # the most ticks that the noise may add or take away
    calm_pause: int  # milliseconds between quotes, on average, in the middle of the day


# ACME's noise is small beside its swing. Its pause keeps every quote younger than a minute.
_ACME = _Plan(
    symbol="ACME",
    path=(
        (0, 18_720), (35, 18_650), (60, 18_668), (95, 18_560),  # the morning dip
        (140, 18_745), (165, 18_720), (225, 18_970), (240, 18_955),  # the rally
        (240, 18_762), (258, 18_735),  # the gap, and the sellers after it
        (320, 18_872), (345, 18_850), (390, 18_885),  # the partial recovery
    ),
    reach=14,
    calm_pause=40_000,
)  # fmt: skip
_ZINC = _Plan(
    symbol="ZINC",
    path=((0, 4_205), (80, 4_192), (170, 4_216), (240, 4_222), (262, 4_211), (330, 4_228), (390, 4_224)),
    reach=6,
    calm_pause=76_000,
)  # fmt: skip


class _Draws:
    """A splitmix64 stream: a counter with a fixed step, each value stirred by shifts and multiplications."""

    def __init__(self, seed: int) -> None:
        self._counter = seed & _MASK

    def word(self) -> int:
        self._counter = (self._counter + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._counter
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        """A whole number from 0 up to, not including, `bound`."""
        return (self.word() * bound) >> 64


def generate(seed: int = 2026) -> Iterator[str]:
    """The lines of the day's CSV, the header first, without line ends."""
    streams = _Draws(seed)
    yield HEADER
    days = [_symbol_rows(plan, _Draws(streams.word())) for plan in (_ACME, _ZINC)]
    for at, cells in heapq.merge(*days):
        yield f"{_instant(at)},{cells}"


def write(path: str | Path, seed: int = 2026) -> None:
    """Write the day to `path`, with line feeds on every system."""
    text = "".join(f"{line}\n" for line in generate(seed))
    Path(path).write_bytes(text.encode("ascii"))


def _symbol_rows(plan: _Plan, draws: _Draws) -> Iterator[tuple[int, str]]:
    """One symbol's quotes, some of them hit or lifted by a market trade before the next quote comes."""
    at = 0
    noise = 0
    while at < _SESSION:
        noise = _wander(noise, plan.reach, draws)
        spread = _spread(at, draws)
        bid = _path_price(plan.path, at) + noise - spread // 2
        ask = bid + spread
        bid_size = _size(9, draws)
        ask_size = _size(9, draws)
        yield at, f"{plan.symbol},quote,{_price(bid)},{_price(ask)},{bid_size},{ask_size},,"

        pause = _pause(plan.calm_pause, at, draws)
        if draws.below(100) < _TRADES_PER_100_QUOTES:
            price, displayed = ((bid, bid_size), (ask, ask_size))[draws.below(2)]
            traded_at = at + 20 + draws.below(pause - 20)
            if traded_at < _SESSION:
                yield traded_at, f"{plan.symbol},trade,,,,,{_price(price)},{_size(displayed // 100, draws)}"
        at += pause


def _path_price(path: tuple[tuple[int, int], ...], at: int) -> int:
    """The plan's price at a moment. Two points on one minute are a gap: the later one holds from there."""
    after = next(index for index, (minute, _) in enumerate(path) if minute * _MINUTE > at)
    (start, low), (end, high) = path[after - 1], path[after]
    return low + (high - low) * (at - start * _MINUTE) // ((end - start) * _MINUTE)


def _wander(noise: int, reach: int, draws: _Draws) -> int:
    """A step of up to two ticks, pulled home by one tick the more often the farther away it is."""
    noise += draws.below(5) - 2
    if draws.below(reach) < abs(noise):
        noise += -1 if noise > 0 else 1
    return max(-reach, min(reach, noise))


def _spread(at: int, draws: _Draws) -> int:
    """One to four ticks: any of them while the market is unsettled, mostly the small ones otherwise."""
    spread = 1 + draws.below(4)
    unsettled = at < _UNSETTLED or _NEWS <= at < _NEWS + _UNSETTLED
    return spread if unsettled else min(spread, 1 + draws.below(4))


def _pause(calm: int, at: int, draws: _Draws) -> int:
    """The wait for the next quote, half to one and a half times the usual.

    The usual wait is the calm one at midday and a third of it at the open and the close.
    """
    middle = _SESSION // 2
    usual = calm * middle**2 // (middle**2 + 2 * (at - middle) ** 2)
    return usual // 2 + draws.below(usual)


def _size(most: int, draws: _Draws) -> int:
    """One to `most` round lots of 100."""
    return 100 * (1 + draws.below(most))


def _price(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02}"


def _instant(at: int) -> str:
    minutes, milliseconds = divmod(at, _MINUTE)
    hour, minute = divmod(_OPEN_MINUTE + minutes, 60)
    return f"{_DATE}T{hour:02}:{minute:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}Z"


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m papertrade.demo.generate",
        description="Write the demo's trading day as CSV.",
    )
    parser.add_argument("path", metavar="PATH", help="the file to write")
    write(parser.parse_args().path)


if __name__ == "__main__":
    _main()
