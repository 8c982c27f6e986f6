"""Statistics of daily results: pure functions of arrays, each with its source."""
