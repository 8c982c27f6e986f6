"""Typed configuration: one YAML file, ``.env`` and the environment, closed and frozen."""

from tidewright.app.settings.load import apply_overrides, load_settings
from tidewright.app.settings.model import Mode, Settings

__all__ = ["Mode", "Settings", "apply_overrides", "load_settings"]
