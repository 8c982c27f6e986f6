"""Validation of a strategy, or of results of any tool: from what a person asked to a report."""
