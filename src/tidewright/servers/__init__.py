"""Servers: the page and its API, and the paper venue as a process of its own."""
