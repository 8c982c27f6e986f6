"""Market feeds: replayed files and a simulated market."""
