"""The five lines of the README, and what each of them answers."""

import papertrade as pt


def main() -> None:
    broker = pt.open_paper_broker(cash=100_000)
    broker.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200)
    order = broker.buy("AAPL", 10)
    stop = broker.sell("AAPL", 10, stop_price="180")
    entry = broker.place_order(symbol="AAPL", side="buy", quantity=5, limit_price="186.50", client_order_id="entry-1")

    print("What came back:")
    for placed in (order, stop, entry):
        print(f"  {placed!r}")

    print("\nWhy:")
    for placed in (order, stop, entry):
        print(f"  {placed.id}: {broker.explain(placed)}")

    again = broker.place_order(symbol="AAPL", side="buy", quantity=5, limit_price="186.50", client_order_id="entry-1")
    print(f"\nThe same key again answers the same order: {again.id}, {len(broker.orders())} orders in all")

    print(f"\n{broker.account()!r}")
    for position in broker.positions():
        print(repr(position))

    print("\nWhat is assumed:")
    for sentence in broker.assumptions():
        print(f"  - {sentence}")


if __name__ == "__main__":
    main()
