"""One long command log as data: every data kind, every order type, two accounts, two days and every kind of event.

``commands()`` is the same list on every call. ``play`` gives it to an exchange; ``Player`` gives it one by one, so
that a test can look in between, leave accounts out, or put others beside them. Run as a script it prints what the
log led to, for tests that compare processes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import papertrade as pt
from papertrade.codec.events import encode_event

START = 1_767_623_400_000_000_000  # 2026-01-05T14:30:00Z
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
MARKET = "market"


class Command(NamedTuple):
    """``who`` is an account's name or the market; a value "@key" stands for the order placed under that key."""

    who: str
    method: str
    fields: dict[str, Any]


INSTRUMENTS: tuple[dict[str, Any], ...] = (
    {"symbol": "AAPL"},
    {"symbol": "BTCUSD", "tick_size": "0.1", "lot_size": "0.001"},
    {"symbol": "ES", "tick_size": "0.25", "multiplier": 2, "max_quantity": 100},
    {"symbol": "BAND", "price_band": ("9.00", "11.00")},
    {"symbol": "UNSEEN"},
    {"symbol": "HOURS", "calendar": "XNYS"},
)


def accounts() -> dict[str, dict[str, Any]]:
    """How the two accounts are opened: as different from each other as can be."""
    return {
        "alice": {
            "cash": "250000",
            "fees": pt.FeeSchedule((pt.PercentFee("0.0003", cap=20), pt.PerUnitFee("0.001", kind="exchange"))),
            "fill": pt.FillSettings.preset("realistic", slippage=pt.TickSlippage(1), max_quote_age_s=3600),
            "trading_day": "America/New_York",
            "square_off": pt.SquareOff(at="15:50", calendars="XNYS"),
            "settlement": pt.Settlement("us_shares", calendars="XNYS", on_violation="restrict", most_violations=1),
        },
        "bob": {
            "cash": "150000.50",
            "margin": pt.FlatMargin(initial="0.2", maintenance="0.15"),
            "fees": pt.MakerTakerFee(maker="-0.0001", taker="0.0005"),
            "limits": pt.RiskLimits(
                max_open_orders=60, max_order_notional=900_000, max_daily_loss=9_000, max_drawdown=20_000
            ),
            "fill": pt.FillSettings.preset("lenient", stop_through="reject", slippage=pt.BasisPointSlippage("1.5")),
            "cost_method": "fifo",
            "trading_day": pt.TradingDay("Asia/Kolkata", "06:00"),
            "products": [pt.Product("NRML"), pt.Product("CNC", shorting=False)],
        },
    }


# ------------------------------------------------------------- the script


def commands() -> list[Command]:
    """The whole log."""
    clock = _Clock()
    return [*_every_event(clock), *_generated(clock, 160), *_second_day(clock), *_generated(clock, 60)]


class _Clock:
    def __init__(self) -> None:
        self.ns = START

    def tick(self, seconds: int = 1) -> int:
        self.ns += seconds * SECOND
        return self.ns


def _data(method: str, **fields: Any) -> Command:
    return Command(MARKET, method, fields)


def _every_event(clock: _Clock) -> Iterator[Command]:
    yield _data("on_quote", symbol="AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200, at=clock.tick())
    yield _data("on_price", symbol="BAND", price="10", at=clock.tick())
    yield _data("on_quote", symbol="HOURS", bid="49.99", ask="50.00", at=clock.tick())
    bids, asks = [("95000.0", "1.5"), ("94999.9", 2)], [("95000.1", "0.75"), ("95000.2", "1.25"), ("95001", 3)]
    yield _data("on_depth", symbol="BTCUSD", bids=bids, asks=asks, at=clock.tick())
    yield _data(
        "on_bar", symbol="ES", open="5000", high="5010.25", low="4990", close="5001", volume=900, end=clock.tick()
    )
    for who in ("alice", "bob"):
        yield Command(who, "deposit", {"amount": "1000.25", "command_id": "d1", "note": 'ünïcödé [[[[[[[[[[ \\ " note'})
        yield Command(who, "withdraw", {"amount": "99.5"})
        yield Command(who, "withdraw", {"amount": "999999999"})
        yield Command(who, "buy", {"symbol": "AAPL", "quantity": 250, "client_order_id": "m1", "tags": {"why": "öpen"}})
        yield Command(who, "buy", {"symbol": "AAPL", "quantity": 60, "limit_price": "186.90", "client_order_id": "l1"})
        yield Command(
            who, "modify_order", {"order_id": "@l1", "quantity": 80, "limit_price": "186.95", "command_id": "c1"}
        )
        yield Command(who, "modify_order", {"order_id": "@l1", "limit_price": "186.951"})
        yield Command(who, "sell", {"symbol": "AAPL", "quantity": 40, "stop_price": "186.00", "client_order_id": "s1"})
        yield Command(who, "sell", {"symbol": "AAPL", "quantity": 50, "limit_price": "189.00", "client_order_id": "t1"})
        yield Command(who, "link_orders", {"one": "@s1", "two": "@t1"})
        yield Command(who, "buy", {"symbol": "BTCUSD", "quantity": "0.9", "client_order_id": "b1"})
        yield Command(
            who, "sell", {"symbol": "BTCUSD", "quantity": "0.2", "stop_price": "94900", "limit_price": "94850"}
        )
        yield Command(who, "buy", {"symbol": "ES", "quantity": 3, "time_in_force": "day"})
        yield Command(who, "buy", {"symbol": "BAND", "notional": "3333.33", "time_in_force": "ioc"})
        yield Command(
            who, "buy", {"symbol": "AAPL", "quantity": 10_000, "time_in_force": "fok", "limit_price": "187.20"}
        )
        yield Command(who, "buy", {"symbol": "AAPL", "quantity": 1, "limit_price": "187.20", "post_only": True})
        expires = clock.ns + 90 * SECOND
        yield Command(who, "buy", {"symbol": "HOURS", "quantity": 3, "time_in_force": "day", "limit_price": "50"})
        ttl = {"time_in_force": "ttl", "ttl_minutes": 7, "extended_hours": True}
        yield Command(who, "buy", {"symbol": "HOURS", "quantity": 2, "limit_price": "49", **ttl})
        gtd = {"time_in_force": "gtd", "expires_at": expires}
        yield Command(who, "buy", {"symbol": "AAPL", "quantity": 5, "limit_price": "150.00", **gtd})
        yield Command(who, "sell", {"symbol": "AAPL", "quantity": 7, "reduce_only": True, "limit_price": "190"})
        yield Command(who, "buy", {"symbol": "ES", "quantity": 1, "limit_price": "4000.10"})
        legs = {"symbol": "AAPL", "side": "sell", "quantity": 20}
        stop, target = {**legs, "stop_price": "185.50"}, {**legs, "limit_price": "190.50"}
        yield Command(who, "place_oco", {"first": stop, "second": target})
    yield _data("on_trade", symbol="AAPL", price="186.90", size=70, aggressor="sell", at=clock.tick())
    yield _data("on_halt", symbol="ES")
    yield Command("bob", "sell", {"symbol": "ES", "quantity": 2})
    yield _data("on_resume", symbol="ES")
    yield _data("on_quote", symbol="AAPL", bid="189.02", ask=None, bid_size=30, at=clock.tick())
    yield _data("on_quote", symbol="AAPL", bid="186.05", ask="186.01", at=clock.tick())
    yield _data(
        "on_bar", symbol="ES", open="5000", high="5004", low="4999.5", close="5002", volume=4000, end=clock.tick()
    )
    yield _data("on_quote", symbol="AAPL", bid="185.80", ask="185.84", bid_size=500, ask_size=500, at=clock.tick(100))
    yield _data(
        "on_depth", symbol="BTCUSD", bids=[("94870.0", "0.15"), ("94860", 4)], asks=[("94871", 9)], at=clock.tick()
    )


def _second_day(clock: _Clock) -> Iterator[Command]:
    yield _data("advance", to=clock.tick(86_400))
    yield Command("bob", "sell", {"symbol": "AAPL", "quantity": 2_000})
    yield _data("on_quote", symbol="AAPL", bid="187.10", ask="187.14", at=clock.tick())
    yield Command("bob", "sell", {"symbol": "AAPL", "quantity": 900})
    yield Command("bob", "close_position", {"symbol": "BTCUSD"})
    for bid in (188, 190, 195, 207, 228, 190, 187):  # a squeeze: loss limits, margin call, and relief
        yield _data("on_quote", symbol="AAPL", bid=bid, ask=f"{bid}.02", at=clock.tick())
    yield Command("bob", "reset_limit", {"limit": "max_daily_loss"})
    yield Command("bob", "reset_limit", {"limit": "max_drawdown", "command_id": "r1"})
    yield Command("alice", "kill", {})
    yield Command("alice", "buy", {"symbol": "AAPL", "quantity": 1})
    yield Command("alice", "reset_limit", {"limit": "kill_switch"})
    yield Command("alice", "cancel_all_orders", {"symbol": "AAPL"})
    yield Command("bob", "close_all_positions", {})
    rows = [("AAPL", 7, "180.123456789"), ("ES", 2, "4990.1"), ("UNSEEN", -3, 25)]
    positions = [{"symbol": symbol, "quantity": size, "average_price": price} for symbol, size, price in rows]
    yield Command("bob", "import_positions", {"positions": positions, "command_id": "i1", "note": "live"})
    yield Command("bob", "buy", {"symbol": "AAPL", "quantity": 4, "product": "CNC"})
    over = {"from_product": "NRML", "to_product": "CNC", "command_id": "o1", "note": "kept"}
    yield Command("bob", "convert_position", {"symbol": "AAPL", "quantity": 3, **over})
    yield _data("on_quote", symbol="UNSEEN", bid="24", ask="24.02", at=clock.tick())
    yield Command("bob", "reset", {"cash": "140000.25", "command_id": "again"})
    yield Command("bob", "clone", {"target": "carol"})
    yield Command("alice", "reset", {"cash": "0", "command_id": "poor"})
    held = [{"symbol": "HOURS", "quantity": 9, "average_price": "48"}]
    yield Command("alice", "import_positions", {"positions": held, "command_id": "i2"})
    yield _data("on_quote", symbol="HOURS", bid="49.99", ask="50.00", at=clock.tick())
    for side, size in (("sell", 8), ("buy", 7), ("sell", 8)):  # a good-faith violation
        yield Command("alice", side, {"symbol": "HOURS", "quantity": size})
    yield Command("alice", "deposit", {"amount": "250000"})


def _generated(clock: _Clock, count: int) -> Iterator[Command]:
    """Ordinary business, drawn by a small generator of our own that is the same everywhere."""
    seed = clock.ns // SECOND

    def draw(below: int) -> int:
        nonlocal seed
        seed = (seed * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (seed >> 33) % below

    price = 18_700
    for number in range(count):
        price += draw(61) - 30
        bid, ask = f"{price / 100:.2f}", f"{(price + 1 + draw(5)) / 100:.2f}"
        kind = draw(8)
        if kind < 4:
            sizes = {"bid_size": 10 + draw(90), "ask_size": 10 + draw(90)}
            yield _data("on_quote", symbol="AAPL", bid=bid, ask=ask, at=clock.tick(1 + draw(4)), **sizes)
        elif kind == 4:
            yield _data("on_trade", symbol="AAPL", price=bid, size=1 + draw(50), at=clock.tick())
        elif kind == 5:
            low, high = f"{(price - 40) / 100:.2f}", f"{(price + 40) / 100:.2f}"
            bar = {"open": bid, "high": high, "low": low, "close": ask, "volume": 1000 + draw(5000)}
            yield _data("on_bar", symbol="AAPL", **bar, start=clock.ns, end=clock.tick(5))
        elif kind == 6:
            yield _data("on_price", symbol="AAPL", price=bid, at=clock.tick())
        else:
            yield _data("advance", to=clock.tick(3))
        yield from _order(("alice", "bob")[draw(2)], price, f"g{clock.ns}-{number}", draw)


def _order(who: str, price: int, key: str, draw: Any) -> Iterator[Command]:
    side = ("buy", "sell")[draw(2)]
    sign = 1 if side == "buy" else -1
    fields: dict[str, Any] = {"symbol": "AAPL", "quantity": 1 + draw(30), "client_order_id": key}
    kind = draw(6)
    if kind in (1, 3):
        fields["limit_price"] = f"{(price - sign * draw(40)) / 100:.2f}"
    if kind in (2, 3):
        fields["stop_price"] = f"{(price + sign * (5 + draw(40))) / 100:.2f}"
    fields["time_in_force"] = ("gtc", "day", "gtc", "ioc")[draw(4)] if kind < 2 else "gtc"
    if kind < 5:
        yield Command(who, side, fields)
    if kind == 4:
        yield Command(who, "cancel_order", {"order_id": f"@{key}"})
    if kind == 5:
        yield Command(who, "cancel_all_orders", {})


# ------------------------------------------------------------- playing it


class Player:
    """Gives commands to an exchange and remembers the orders placed under each key."""

    def __init__(self, names: Iterable[str] = ("alice", "bob"), **options: Any) -> None:
        self.exchange = pt.Exchange(clock="data", **options)
        for listed in INSTRUMENTS:
            self.exchange.add_instrument(**listed)
        self.exchange.advance(to=START)
        self.brokers = {
            name: self.exchange.open_account(name, **how) for name, how in accounts().items() if name in set(names)
        }
        self._placed: dict[tuple[str, str], str] = {}
        self.trail: list[str] = []

    def give(self, command: Command) -> Any:
        """One command; commands of accounts that are not here are left out."""
        who, method, fields = command
        if who == MARKET:
            return getattr(self.exchange, method)(**fields)
        broker = self.brokers.get(who)
        if broker is None:
            return None
        if method == "clone":
            self.brokers[fields["target"]] = self.exchange.clone_account(who, **fields)
            return None
        answer = getattr(broker, method)(**{name: self._meant(who, value) for name, value in fields.items()})
        if fields.get("client_order_id") and isinstance(answer, pt.Order):
            self._placed[who, fields["client_order_id"]] = answer.id
        return answer

    def _meant(self, who: str, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return self._placed[who, value[1:]]
        if isinstance(value, dict) and "side" in value:
            return pt.OrderRequest(**value)
        return value

    def journal(self, who: str) -> list[bytes]:
        """The account's events as canonical bytes."""
        return [encode_event(event) for event in self.brokers[who].events()]


def play(**options: Any) -> Player:
    """An exchange after the whole log, with the digests that the accounts had on the way."""
    player = Player(**options)
    for command in commands():
        player.give(command)
        player.trail += [broker.digest() for broker in player.brokers.values()]
    return player


def fingerprint(player: Player) -> str:
    """All that the accounts are and were, in one line: hashes of the digests on the way and of each journal."""
    parts = [sha256(" ".join(player.trail).encode()).hexdigest()]
    for who in sorted(player.brokers):
        journal = sha256(b"\n".join(player.journal(who))).hexdigest()
        parts.append(f"{who} {len(player.journal(who))} {journal} {player.brokers[who].digest()}")
    return "; ".join(parts)


if __name__ == "__main__":
    print(fingerprint(play()), file=sys.stdout)
