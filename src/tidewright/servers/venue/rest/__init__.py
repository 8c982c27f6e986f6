"""The REST API: its routes by theme, and the application that answers them."""
