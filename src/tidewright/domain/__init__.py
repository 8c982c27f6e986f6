"""Values, events, ports and the error tree; standard library only."""
