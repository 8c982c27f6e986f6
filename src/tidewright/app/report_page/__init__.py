"""The report of a validation for people: one HTML file that needs nothing else."""
