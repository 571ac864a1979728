"""The numbered cases of the broker contract, by subject. ``papertrade.testing.broker_kit`` puts them together."""
