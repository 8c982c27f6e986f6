"""What everybody sees of a market, as compiled steps: levels of its book, trades and candles."""
