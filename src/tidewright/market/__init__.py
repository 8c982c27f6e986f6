"""Market data before the engine: bars, gaps, validation, instruments, array views."""
