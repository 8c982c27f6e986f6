"""What is kept: the journal, the home folder, read models, bars."""
