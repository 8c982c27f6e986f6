"""What may be concluded: what was tried, what was kept closed, what was frozen, and the verdict."""
