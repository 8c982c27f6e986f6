"""What people see of a running trader: the view, its queries and read models, its stream, login."""
