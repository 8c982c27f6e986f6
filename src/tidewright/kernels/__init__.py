"""Every compiled step and loop; one njit function serves the live engine and bulk research."""
