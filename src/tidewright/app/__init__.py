"""Composition root: settings, assemblies, supervision, queries; the only room that wires others."""
