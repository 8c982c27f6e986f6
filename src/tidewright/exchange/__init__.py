"""Venues in memory: the paper venue, its account and its fills; no I/O."""
