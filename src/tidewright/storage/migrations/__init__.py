"""Steps that bring the read models' database to the newest schema."""
