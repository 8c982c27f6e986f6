"""Learning by trying: the order book as an environment, and baselines to beat."""
