"""What becomes of an approved order: one transition table, timeouts, answers that got lost."""
