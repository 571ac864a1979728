"""What things are: numbers, instruments, orders, fills, positions, market data, commands, events.

Nothing here reads a clock, opens a file or knows how an order is matched.
"""
