"""Servers: the page and its API, the paper venue, the simulated exchange."""
