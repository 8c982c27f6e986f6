"""Is it luck: patternless markets, the same search on them, random entries, resampled years."""
