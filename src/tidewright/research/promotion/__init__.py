"""From simulation to paper, a pilot and more: the ladder, its gates and its records."""
