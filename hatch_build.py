"""Build hook: puts the built page into the wheel, or into the tree of an editable install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "scripts"))
import build_ui

STATIC = "tidewright/servers/api/static"


class PageBuildHook(BuildHookInterface[Any]):
    """Builds ``ui/`` before a wheel is made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from the package index when the machine has none that is new enough."""
        if build_ui.skipped() or build_ui.up_to_date() or build_ui.system_node() is not None:
            return []
        return [build_ui.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page and have the wheel carry it; an editable install finds it in place."""
        build_ui.build()
        if version == "standard" and not build_ui.skipped():
            build_data["force_include"][str(build_ui.STATIC)] = STATIC
