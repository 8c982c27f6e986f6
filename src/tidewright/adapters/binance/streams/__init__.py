"""Binance's market streams: names, messages, connections that come back, and what they missed."""
