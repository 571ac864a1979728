"""A strategy written against ``pt.Broker``: it asks what the broker can do, and runs on whatever stands behind it."""

from decimal import Decimal

import papertrade as pt


class EntryWithExits:
    """Buys at a limit; once that filled, a target and a stop stand around it, linked if the broker can link them."""

    def __init__(self, broker: pt.Broker, symbol: str, quantity: int) -> None:
        self.broker, self.symbol, self.quantity = broker, symbol, quantity

    def enter(self, limit: Decimal) -> pt.Order:
        """The key makes the call safe to repeat: after a timeout, simply call it again."""
        return self.broker.place_order(
            symbol=self.symbol,
            side="buy",
            quantity=self.quantity,
            limit_price=limit,
            time_in_force=self.time_in_force(),
            client_order_id=f"{self.symbol}-entry",
        )

    def protect(self, entry: pt.Order, target: Decimal, stop: Decimal) -> list[pt.Order]:
        """Exits for what really filled, not for what was asked for."""
        filled = self.broker.order(entry).filled_quantity
        if not filled:
            return []
        stop_order = self.broker.place_order(
            symbol=self.symbol, side="sell", quantity=filled, stop_price=stop, reduce_only=True
        )
        if not self.broker.capabilities().linked_orders:
            return [stop_order]
        target_order = self.broker.place_order(
            symbol=self.symbol, side="sell", quantity=filled, limit_price=target, oco_with=stop_order.id
        )
        return [stop_order, target_order]

    def time_in_force(self) -> pt.TimeInForce:
        """A day order where there is such a thing."""
        can = self.broker.capabilities().times_in_force
        return pt.TimeInForce.DAY if pt.TimeInForce.DAY in can else pt.TimeInForce.GTC


def main() -> None:
    broker = pt.open_paper_broker(cash=20_000, clock="data")
    as_protocol: pt.Broker = broker  # the type checker proves it
    strategy = EntryWithExits(as_protocol, "ABC", 100)

    broker.on_quote("ABC", "100.00", "100.04", 300, 300, at="2026-01-05T14:30:00Z")
    entry = strategy.enter(Decimal("99.90"))
    entry = strategy.enter(Decimal("99.90"))  # repeated: answered, not placed again
    print(f"entry:   {entry!r}, {len(broker.orders())} order in all")

    broker.on_quote("ABC", "99.84", "99.88", 300, 60, at="2026-01-05T14:31:00Z")
    print(f"filled:  {broker.order(entry)!r}")
    exits = strategy.protect(entry, target=Decimal("101.00"), stop=Decimal("99.00"))

    broker.on_quote("ABC", "101.02", "101.06", 300, 300, at="2026-01-05T14:32:00Z")
    for order in exits:
        print(f"exit:    {broker.order(order)!r}")
    print(f"account: {broker.account()!r}")
    print(f"source:  {broker.capabilities().source}")


if __name__ == "__main__":
    main()
