"""Adapters: everything that speaks to the outside, one package per counterpart."""
