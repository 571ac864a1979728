"""Positions: what a fill closes, what that had cost, what it opens, lot by lot or as one pool."""

from __future__ import annotations

from .facts import Tool


class Holding:
    """One symbol's position, as the auditor counts it."""

    __slots__ = (
        "cost",
        "fees",
        "highest",
        "lots",
        "lowest",
        "pool",
        "pq",
        "quantity",
        "realized",
        "symbol",
        "told",
        "told_at",
        "was_held",
    )

    def __init__(self, symbol: str, pool: bool) -> None:
        self.symbol = symbol
        self.pool = pool  # average cost: all lots are one
        self.lots: list[list[int]] = []  # [quantity, Σ price × quantity, cost, when opened], oldest first
        self.quantity = self.cost = self.pq = self.realized = self.fees = 0
        self.lowest = self.highest = 0  # prices of the fills since it was last flat
        self.was_held = False
        self.told: int | None = None  # the last price that a record tells: of a fill, or at a close
        self.told_at = -1

    def closes(self, sign: int, quantity: int) -> int:
        """How much of a fill closes what is held."""
        return min(max(-sign * self.quantity, 0), quantity)

    def fill(self, tool: Tool, sign: int, quantity: int, price: int, at: int) -> tuple[int, int, int, int, int]:
        """Take a fill; answers its value, what it closed, the value of that, the cost released and the profit."""
        closed = self.closes(sign, quantity)
        opened = quantity - closed
        closed_value = tool.value(price, closed) if closed else 0
        opened_value = tool.value(price, opened) if opened else 0
        released = self._close(tool, sign, closed) if closed else 0
        realized = -sign * closed_value - released if closed else 0
        self.realized += realized
        if opened:
            self._open(sign, opened, price, sign * opened_value, at)
        self.told, self.told_at = price, at
        self._add_up()
        return closed_value + opened_value, closed, closed_value, released, realized

    def counted(self, tool: Tool) -> int:
        """What it counts for where nobody knows a newer price."""
        if self.told is None:
            return self.cost
        value = tool.value(self.told, abs(self.quantity))
        return value if self.quantity > 0 else -value

    def _add_up(self) -> None:
        self.quantity = self.cost = self.pq = 0
        for lot in self.lots:
            self.quantity += lot[0]
            self.pq += lot[1]
            self.cost += lot[2]

    def come_in(self, sign: int, quantity: int, price: int, cost: int, at: int) -> None:
        """Take what comes in without a trade."""
        self._open(sign, quantity, price, cost, at)
        self._add_up()

    def go_over(self, tool: Tool, other: Holding, quantity: int) -> int:
        """A part, the oldest first, is the other's from now on, where lots stand by age; answers what it had cost."""
        if not other.lots:
            other.lowest, other.highest = self.lowest, self.highest
        other.lowest, other.highest = min(other.lowest, self.lowest), max(other.highest, self.highest)
        lots = [list(lot) for lot in self.lots]
        cost = self._close(tool, -1 if self.quantity > 0 else 1, quantity)
        gone = lots[: len(lots) - len(self.lots)]
        if self.lots and self.lots[0] != lots[len(gone)]:
            parts = zip(lots[len(gone)][:3], self.lots[0][:3], strict=True)
            gone.append([*(was - now for was, now in parts), lots[len(gone)][3]])
        for lot in gone:
            if other.pool and other.lots:
                other.lots[0][:3] = [old + new for old, new in zip(other.lots[0], lot[:3], strict=False)]
            else:
                other.lots.append(lot)
        other.lots.sort(key=lambda lot: lot[3])
        other.was_held = True
        if self.told_at > other.told_at:
            other.told, other.told_at = self.told, self.told_at
        self._add_up()
        other._add_up()
        return cost

    def _close(self, tool: Tool, sign: int, closed: int) -> int:
        released = 0
        while closed:
            lot = self.lots[0]
            size = abs(lot[0])
            if size <= closed:
                released += lot[2]
                closed -= size
                del self.lots[0]
                continue
            part = tool.share(lot[2], closed, size)
            share = abs(lot[1]) * closed // size
            lot[0] += sign * closed
            lot[1] -= share if lot[1] > 0 else -share
            lot[2] -= part
            released += part
            closed = 0
        return released

    def _open(self, sign: int, opened: int, price: int, cost: int, at: int) -> None:
        if not self.lots:
            self.lowest = self.highest = price
        self.lowest, self.highest = min(self.lowest, price), max(self.highest, price)
        if self.pool and self.lots:
            lot = self.lots[0]
            lot[0] += sign * opened
            lot[1] += sign * opened * price
            lot[2] += cost
        else:
            self.lots.append([sign * opened, sign * opened * price, cost, at])
        self.was_held = True
