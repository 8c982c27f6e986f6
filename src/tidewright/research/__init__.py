"""Performance measurement and validation of strategies; nothing here trades."""
