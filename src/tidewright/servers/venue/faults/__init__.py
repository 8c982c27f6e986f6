"""Fault scripts on the wire: read from YAML, carried out between the venue and its network."""
