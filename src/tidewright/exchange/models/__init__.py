"""Models of a market that need no exchange: latency, slippage, a place in a queue."""
