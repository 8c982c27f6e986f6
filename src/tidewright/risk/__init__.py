"""Limits, breakers, sizing and approval: the only way from an intent to an order."""
