"""Traders that make a market: compiled, seeded, thousands of them on several order books."""
