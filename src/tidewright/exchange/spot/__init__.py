"""A spot exchange in memory: listings, filters, accounts, orders, trades."""
