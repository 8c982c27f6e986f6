"""The bulk loop: a strategy over whole histories, in the very steps that the engine calls."""
