"""Did it know its future: histories cut short, futures changed, columns that know too much."""
