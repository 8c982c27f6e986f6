"""Order books to learn on: many small markets, each with traders and a place for a learner."""
