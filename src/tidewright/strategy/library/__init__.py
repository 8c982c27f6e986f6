"""The strategies that ship with Tidewright, one YAML file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

from tidewright.domain.errors import ConfigError, nearest
from tidewright.strategy.spec import SpecTemplate, StrategySpec, load_spec, load_template

T = TypeVar("T")


def library_texts() -> Mapping[str, str]:
    """Return the text of every file of the library, by file name, in order."""
    folder = files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


@cache
def library() -> Mapping[str, StrategySpec]:
    """Return every shipped strategy by name, in the order of the names."""
    specs = (load_spec(text, name) for name, text in library_texts().items())
    return MappingProxyType({spec.name: spec for spec in specs})


def named(name: str) -> StrategySpec:
    """Return a shipped strategy.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    return _found(library(), name)


def template_named(name: str) -> SpecTemplate:
    """Return a shipped strategy with its named numbers still open.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    texts = {file.removesuffix(".yaml"): text for file, text in library_texts().items()}
    return load_template(_found(texts, name), f"{name}.yaml")


def _found(known: Mapping[str, T], name: str) -> T:
    if name not in known:
        raise ConfigError(
            f"strategy was {name!r}; expected one of {', '.join(known)}{nearest(name, known)}"
        )
    return known[name]
