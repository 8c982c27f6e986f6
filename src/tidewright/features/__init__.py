"""Declared columns and the runner that gives the same bits streaming and in bulk."""
