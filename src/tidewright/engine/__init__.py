"""The deterministic core: slices, step, state, snapshot, replay."""
