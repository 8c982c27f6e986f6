"""Prints the OpenAPI document from which the page's client is generated.

Run as ``python -m tidewright.servers.api.openapi > ui/src/client/openapi.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from tidewright.app.page.queries import Login
from tidewright.app.page.read_models import Mode, Role, SettingValue
from tidewright.app.page.view import Heading, LiveView
from tidewright.domain.errors import ConfigError
from tidewright.servers.api.application import create_api


class _NoLogin:
    def verify(self, secret: str) -> Role | None:
        return None

    def redeem(self, token: str) -> Role | None:
        return None


class _Nothing:
    """Services of no trader: the document needs the shape only."""

    def __init__(self) -> None:
        self.view = LiveView((), Heading(Mode.SIMULATED, "", "1m"))

        self.login: Login = _NoLogin()

    def halt(self, actor: str, reason: str) -> None:
        raise ConfigError("there is no trader to halt behind the document")

    def resume(self, actor: str, reason: str) -> None:
        raise ConfigError("there is no trader to resume behind the document")

    def settings(self) -> Mapping[str, Mapping[str, SettingValue]]:
        return {}


def document() -> str:
    """Return the OpenAPI document as JSON text, the same for the same code."""
    return json.dumps(create_api(_Nothing()).openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
