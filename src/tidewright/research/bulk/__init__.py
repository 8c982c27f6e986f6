"""Bulk backtests: a strategy spec over arrays in one compiled loop, equal to the engine's path."""
