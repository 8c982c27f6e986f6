"""A market in memory that lives: order books and the traders that fill them."""
