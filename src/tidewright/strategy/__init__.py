"""Strategies as data: specs, the expression language, compilation, aggregation, the library."""
