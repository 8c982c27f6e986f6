"""Binance public history: candles by REST, page by page."""
