"""The lines of a scenario in which something happens: market data, time, and commands to an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import papertrade as pt
from papertrade.testing.scenario_reader import Calendar, Words
from papertrade.testing.scenario_setup import MAIN, World

TIFS: Final = tuple(tif.value for tif in pt.TimeInForce if tif is not pt.TimeInForce.GTD)
_SECOND: Final = timedelta(seconds=1)
_LATCHES: Final = ("kill_switch", "max_daily_loss", "max_drawdown")


class Actions:
    """Plays lines on a world. A command answers the orders it is about."""

    def __init__(self, world: World, calendar: Calendar) -> None:
        self.world = world
        self.calendar = calendar
        self.names: dict[tuple[str, str], pt.Order] = {}  # (account, name given with "as") → the order as placed
        self.account = next(iter(world.brokers), MAIN)
        self.at: datetime | None = None  # what this line began with
        self.data: dict[str, Callable[[Words], None]] = {
            "quote": self.quote,
            "price": self.price,
            "trade": self.trade,
            "auction": self.auction,
            "bar": self.bar,
            "depth": self.depth,
        }
        self.commands: dict[str, Callable[[Words], list[pt.Order]]] = {
            "buy": lambda words: self.place("buy", words),
            "sell": lambda words: self.place("sell", words),
            "oco": self.oco,
            "link": self.link,
            "modify": self.modify,
            "cancel": self.cancel,
            "close": self.close,
            "deposit": lambda words: self.cash(self.broker.deposit, words),
            "withdraw": lambda words: self.cash(self.broker.withdraw, words),
            "import": self.import_positions,
            "clone": self.clone,
            "kill": self.kill,
            "reset": self.reset,
            "advance": self.advance,
            "halt": self.halt,
            "resume": self.resume,
        }

    @property
    def broker(self) -> pt.PaperBroker:
        """The account of this line."""
        return self.world.brokers[self.account]

    def play(self, words: Words) -> list[pt.Order]:
        """One line of data or one command."""
        known = (*self.data, *self.commands)
        verb = words.choose("what happens", known)
        if verb in self.data:
            self.data[verb](words)
            return []
        if self.at is not None and self.at > self.world.now:
            self.world.move(self.at)
        return self.commands[verb](words)

    def order(self, words: Words, word: str) -> pt.Order:
        """An order by its number or by the name it was given."""
        named = self.names.get((self.account, word))
        if named is None and not word.isdigit():
            raise words.error(f"unknown order {word!r}; accepted: its number, or the name given with 'as'")
        found = self.broker.find_order(f"{self.account}-{word}" if named is None else named.id)
        if found is None:
            raise words.error(f"there is no order {word} yet")
        return found

    # ----------------------------------------------------------------- data

    def _now(self) -> datetime:
        """The instant of this datum: as the line says, else a second after what came before."""
        at = self.world.now + _SECOND if self.at is None else self.at
        self.world.see(at)
        return at

    def quote(self, words: Words) -> None:
        """``quote AAPL 100.00 x 300 / 100.04 x 200``; ``-`` for a side that nobody is on; sizes may be left out."""
        symbol = words.take("a symbol")
        bid, bid_size = self._side(words)
        words.need("/")
        ask, ask_size = self._side(words)
        facts = words.facts(("sequence",))
        sequence = int(facts["sequence"]) if "sequence" in facts else None
        self.world.exchange.on_quote(symbol, bid, ask, bid_size, ask_size, self._now(), sequence)

    def _side(self, words: Words) -> tuple[Any, Any]:
        price = words.maybe("a price")
        return price, words.number("a size") if words.skip("x") else None

    def price(self, words: Words) -> None:
        """``price AAPL 100``: a bare last price."""
        symbol, last = words.take("a symbol"), words.number("a price")
        words.end()
        self.world.exchange.on_price(symbol, last, self._now())

    def trade(self, words: Words) -> None:
        """``trade AAPL 99.95 x 100 aggressor=sell``: a print."""
        symbol = words.take("a symbol")
        price, size = self._side(words)
        facts = words.facts(("aggressor", "sequence"))
        sequence = int(facts["sequence"]) if "sequence" in facts else None
        self.world.exchange.on_trade(symbol, price, size, facts.get("aggressor"), self._now(), sequence)

    def auction(self, words: Words) -> None:
        """``auction AAPL open 100.02 x 5000``: the official price of the opening (or closing) auction, and its size."""
        symbol, kind = words.take("a symbol"), words.choose("an auction", ("open", "close"))
        price, size = self._side(words)
        words.end()
        self.world.exchange.on_auction(symbol, price, size, auction=kind, at=self._now())

    def bar(self, words: Words) -> None:
        """``bar AAPL 90/95/88/94 volume=1000 start=09:30:00``: open, high, low, close; its end is the line's time."""
        symbol, prices = words.take("a symbol"), words.take("open/high/low/close").split("/")
        if len(prices) != 4:
            raise words.error(f"bar: found {'/'.join(prices)!r}; accepted: open/high/low/close")
        o, h, l, c = (words.as_number(price, "a price") for price in prices)
        facts = words.facts(("volume", "start"))
        start = self.calendar.instant(facts["start"], self.world.now, words) if "start" in facts else None
        volume = words.as_number(facts["volume"], "volume") if "volume" in facts else None
        # Zero is written "0" for a bar in which nothing traded.
        self.world.exchange.on_bar(symbol, o, h, l, c, "0" if volume == 0 else volume, start, self._now())

    def depth(self, words: Words) -> None:
        """``depth AAPL 99.98 x 300, 99.97 x 500 / 100.04 x 200, 100.05 x 300``: both sides, best first."""
        symbol = words.take("a symbol")
        sides = words.split("/")
        if len(sides) != 2:
            raise words.error("depth: accepted: bids / asks")
        bids, asks = ([self._level(level) for level in side.split(",") if level] for side in sides)
        self.world.exchange.on_depth(symbol, bids, asks, self._now())

    def _level(self, words: Words) -> tuple[Any, Any]:
        price = words.number("a price")
        words.need("x")
        size = words.number("a size")
        words.end()
        return price, size

    def halt(self, words: Words) -> list[pt.Order]:
        """``halt AAPL``."""
        self.world.exchange.on_halt(words.take("a symbol"))
        words.end()
        return []

    def resume(self, words: Words) -> list[pt.Order]:
        """``resume AAPL``."""
        self.world.exchange.on_resume(words.take("a symbol"))
        words.end()
        return []

    def advance(self, words: Words) -> list[pt.Order]:
        """``advance 10:00:00`` or ``advance +90s``: time passes without data."""
        to = self.calendar.instant(words.take("a time"), self.world.now, words)
        words.end()
        self.world.move(to)
        return []

    # ------------------------------------------------------------- commands

    def _terms(self, side: str, words: Words) -> tuple[dict[str, Any], str]:
        """``AAPL 50 limit 99.95 stop 99 day post_only reduce_only oco 1 until 10:00 key=a tag=x:y as entry``."""
        terms: dict[str, Any] = {"symbol": words.take("a symbol"), "side": side}
        size = "notional" if words.skip("money") else "quantity"
        terms[size] = words.number("a quantity")
        name = ""
        while words:
            word = words.take("more about the order")
            key, _, value = word.partition("=")
            if word in ("limit", "stop"):
                terms[f"{word}_price"] = words.number(f"a {word} price")
            elif word in TIFS:
                terms["time_in_force"] = word
            elif word == "until":
                terms["time_in_force"] = "gtd"
                terms["expires_at"] = self.calendar.instant(words.take("a time"), self.world.now, words)
            elif word in ("post_only", "reduce_only"):
                terms[word] = True
            elif word == "oco":
                terms["oco_with"] = self.order(words, words.take("an order")).id
            elif word == "as":
                name = words.take("a name")
            elif key == "key" and value:
                terms["client_order_id"] = value
            elif key == "tag" and ":" in value:
                terms.setdefault("tags", {}).update([tuple(value.split(":", 1))])
            else:
                known = f"limit, stop, {', '.join(TIFS)}, until, post_only, reduce_only, oco, as, key=, tag=name:text"
                raise words.error(f"unknown word {word!r}; accepted: {known}")
        return terms, name

    def place(self, side: str, words: Words) -> list[pt.Order]:
        """``buy AAPL 50 limit 99.95 day as entry``; ``buy AAPL money 1000`` sizes by an amount of money."""
        terms, name = self._terms(side, words)
        order = self.broker.place_order(**terms)
        if name:
            self.names[self.account, name] = order
        return [order]

    def oco(self, words: Words) -> list[pt.Order]:
        """``oco sell AAPL 50 limit 110 | sell AAPL 50 stop 95``."""
        parts = words.split("|")
        if len(parts) != 2:
            raise words.error("oco: accepted: two orders with | between them")
        asked = [self._terms(part.choose("a side", ("buy", "sell")), part) for part in parts]
        orders = self.broker.place_oco(*(pt.OrderRequest(**terms) for terms, _ in asked))
        for order, (_, name) in zip(orders, asked, strict=True):
            if name:
                self.names[self.account, name] = order
        return list(orders)

    def link(self, words: Words) -> list[pt.Order]:
        """``link 1 2``."""
        one, two = (self.order(words, words.take("an order")) for _ in range(2))
        words.end()
        return list(self.broker.link_orders(one, two))

    def modify(self, words: Words) -> list[pt.Order]:
        """``modify 1 quantity=80 limit=99.90``: ``quantity`` is the new total."""
        order = self.order(words, words.take("an order"))
        facts = words.facts(("quantity", "limit", "stop", "until", "key"))
        until = self.calendar.instant(facts["until"], self.world.now, words) if "until" in facts else None
        changed = self.broker.modify_order(
            order,
            quantity=facts.get("quantity"),
            limit_price=facts.get("limit"),
            stop_price=facts.get("stop"),
            expires_at=until,
            command_id=facts.get("key"),
        )
        return [changed]

    def cancel(self, words: Words) -> list[pt.Order]:
        """``cancel 1``, ``cancel all`` or ``cancel all AAPL``."""
        if words.skip("all"):
            symbol = words.take("a symbol") if words else None
            words.end()
            return self.broker.cancel_all_orders(symbol)
        order = self.order(words, words.take("an order"))
        words.end()
        return [self.broker.cancel_order(order)]

    def close(self, words: Words) -> list[pt.Order]:
        """``close AAPL``, ``close AAPL 20`` or ``close all``."""
        if words.skip("all"):
            words.end()
            return self.broker.close_all_positions()
        symbol = words.take("a symbol")
        quantity = words.number("a quantity") if words else None
        words.end()
        return [self.broker.close_position(symbol, quantity)]

    def cash(self, move: Callable[..., pt.Account], words: Words) -> list[pt.Order]:
        """``deposit 1000``, ``withdraw 500 key=w-1``."""
        amount = words.number("an amount")
        move(amount, command_id=words.facts(("key",)).get("key"))
        return []

    def kill(self, words: Words) -> list[pt.Order]:
        """``kill``: throw the kill switch."""
        words.end()
        self.broker.kill()
        return []

    def reset(self, words: Words) -> list[pt.Order]:
        """``reset 50000 key=r-1``: the account begins again; ``reset max_drawdown``: a latch is opened."""
        if words.peek()[:1] in (*"-0123456789",):
            return self.cash(self.broker.reset, words)
        limit = words.choose("an amount, or a latch", _LATCHES)
        words.end()
        self.broker.reset_limit(limit)
        return []

    def import_positions(self, words: Words) -> list[pt.Order]:
        """``import AAPL 10 @ 98.50, MSFT -5 @ 40 key=in-1``: positions from elsewhere, negative for a short."""
        rows = [self._position(words)]
        while words.skip(","):
            rows.append(self._position(words))
        self.broker.import_positions(rows, command_id=words.facts(("key",)).get("key"))
        return []

    def _position(self, words: Words) -> dict[str, object]:
        symbol, quantity = words.take("a symbol"), words.number("a quantity")
        words.need("@")
        return {"symbol": symbol, "quantity": quantity, "average_price": words.number("an average price")}

    def clone(self, words: Words) -> list[pt.Order]:
        """``clone bob key=c-1``: a copy of the account; lines about it begin with its name and a colon."""
        name = words.take("a name")
        key = words.facts(("key",)).get("key")
        self.world.brokers[name] = self.world.exchange.clone_account(self.account, name, command_id=key)
        return []
