"""A whole market in memory: books, matching, accounts, the paper venue; no I/O."""
