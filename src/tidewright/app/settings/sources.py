"""Where values come from: a YAML file, a ``.env`` file, the environment, the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from dotenv import dotenv_values

from tidewright.app.settings.names import is_section
from tidewright.domain.errors import ConfigError

PREFIX = "TIDEWRIGHT__"
"""Start of the environment variables that are settings."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value as a person wrote it.

    Parameters
    ----------
    name : str
        Dotted name in small letters.
    value : object
        Plain YAML value, or text.
    source : str
        File and line, or variable, for messages.
    """

    name: str
    value: object
    source: str


def from_yaml(path: Path) -> Iterator[Assignment]:
    """Yield the assignments of a YAML file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no YAML mapping, or names one key twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file {path} cannot be read: {error}") from error
    try:
        root = loader.get_single_node()
        if root is not None:
            yield from _mapping(loader, root, "", path)
    except yaml.YAMLError as error:
        raise ConfigError(f"settings file {path} is not valid YAML: {error}") from error
    finally:
        loader.dispose()


def _mapping(
    loader: yaml.SafeLoader, node: yaml.Node, prefix: str, path: Path
) -> Iterator[Assignment]:
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{_place(path, node)}: expected names with values, like 'mode: paper'")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{_place(path, key)}: expected a name")
        name = f"{prefix}{key.value}"
        if name in seen:
            raise ConfigError(f"{_place(path, key)}: {name} was given twice; expected once")
        seen.add(name)
        if not prefix and is_section(key.value):
            if not (isinstance(value, yaml.ScalarNode) and value.value == ""):
                yield from _mapping(loader, value, f"{name}.", path)
        else:
            yield Assignment(name, loader.construct_object(value, deep=True), _place(path, key))


def _place(path: Path, node: yaml.Node) -> str:
    mark = node.start_mark
    return f"{path}:{mark.line + 1}" if mark else str(path)


def from_variables(variables: Mapping[str, str | None], source: str = "") -> Iterator[Assignment]:
    """Yield the assignments among environment variables: ``TIDEWRIGHT__SECTION__NAME``.

    Parameters
    ----------
    variables : mapping of str to str
        The environment, or the content of a ``.env`` file.
    source : str
        File that they came from, or empty for the environment.
    """
    for variable in sorted(variables):
        value = variables[variable]
        if variable.upper().startswith(PREFIX) and value is not None:
            name = variable[len(PREFIX) :].lower().replace("__", ".")
            yield Assignment(name, value, f"{source}: {variable}" if source else variable)


def from_env_file(path: Path) -> Iterator[Assignment]:
    """Yield the assignments of a ``.env`` file; nothing when there is none."""
    if path.is_file():
        yield from from_variables(dotenv_values(path, interpolate=False), str(path))


def from_overrides(overrides: Sequence[str]) -> Iterator[Assignment]:
    """Yield the assignments of ``NAME=VALUE`` texts.

    Raises
    ------
    ConfigError
        If a text has no equals sign.
    """
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(
                f"override was {text!r}; expected NAME=VALUE, like risk.max_drawdown_percent=20"
            )
        yield Assignment(name.strip().lower(), value.strip(), f"--set {text}")
