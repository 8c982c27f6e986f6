"""Tidewright: an autonomous trader whose every decision can be replayed."""

__version__ = "0.1.0"
