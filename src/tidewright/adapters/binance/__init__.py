"""Binance Spot: signed REST, with every answer that is not definite called UNKNOWN."""
