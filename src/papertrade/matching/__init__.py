"""How an order meets the market: resting index, numbered fill rules, fill and slippage models."""
