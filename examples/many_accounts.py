"""One exchange, one feed, many accounts: each with its own cash, fees, kind and rules, none knowing of the others."""

import papertrade as pt


def main() -> None:
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("NSE:INFY", currency="INR", tick_size="0.05")

    alice = exchange.open_account("alice", cash="1000000", currency="INR", fees=pt.PercentFee("0.0003", cap=20))
    bob = exchange.open_account(
        "bob", cash="500000", currency="INR", kind="margin", margin=pt.FlatMargin(initial="0.2", maintenance="0.1")
    )
    carol = exchange.open_account("carol", cash="200000", currency="INR", fill="strict")

    news: list[str] = []
    exchange.subscribe(lambda event: news.append(f"{event.account} {event.kind}"), kinds="order_filled")

    # All three want more than is displayed, and each sees the whole of it: accounts do not compete for a quote.
    exchange.on_quote("NSE:INFY", "1500.00", "1500.05", 100, 100, at="2026-01-05T04:00:00Z")
    alice.buy("NSE:INFY", 120)
    bob.sell("NSE:INFY", 120)
    carol.buy("NSE:INFY", 120, limit_price="1500.05")
    exchange.on_quote("NSE:INFY", "1500.10", "1500.15", 100, 100, at="2026-01-05T04:00:01Z")

    print("The fills, in the order in which they were stored:")
    for line in news:
        print(f"  {line}")

    print("\nThe accounts:")
    for name in exchange.accounts():
        account = exchange.account(name).account()
        money = f"equity {account.equity:>12.2f}  available {account.available:>12.2f}  fees {account.fees:.2f}"
        print(f"  {name:6} {money}")
        for order in exchange.account(name).orders():
            print(f"         {order!r}")

    try:
        alice.buy("NSE:INFI", 1)
    except pt.UsageError as why:
        print(f"\nA wrong symbol: {why}")


if __name__ == "__main__":
    main()
