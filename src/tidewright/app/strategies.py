"""Find strategies by name or file and set them up for the engine.

Loading a class from a Python file happens here and nowhere else.
"""

from __future__ import annotations

import copyreg
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from tidewright.domain.errors import ConfigError, nearest
from tidewright.engine.config import StrategySetup, setup_of
from tidewright.strategy.library import library, template_named
from tidewright.strategy.model import Stops, StrategySpec
from tidewright.strategy.python_strategy import PythonStrategy
from tidewright.strategy.spec import SpecTemplate, dump_spec, load_template


@dataclass(frozen=True, slots=True)
class LoadedStrategy:
    """A strategy ready for the engine.

    Parameters
    ----------
    setup : StrategySetup
        What the engine takes.
    document : str
        Its written form, or the digest of its source: part of the fingerprint.
    source : str
        Where it came from, for a person.
    """

    setup: StrategySetup
    document: str
    source: str


def load_strategies(names: Sequence[str], stops: Stops | None = None) -> list[LoadedStrategy]:
    """Return strategies by library name, ``FILE.yaml``, or ``FILE.py:CLASS``.

    Parameters
    ----------
    names : sequence of str
        What to load.
    stops : Stops or None
        Protection of written strategies that name none of their own.

    Raises
    ------
    ConfigError
        If one is not found, cannot be used, or two share a name.
    """
    loaded = [_load(name, stops) for name in names]
    seen: dict[str, str] = {}
    for item in loaded:
        name = item.setup.strategy.name
        if name in seen:
            raise ConfigError(
                f"strategy {name!r} was given twice, by {seen[name]} and {item.source}; "
                "expected different names"
            )
        seen[name] = item.source
    return loaded


def reload_strategy(document: str, source: str) -> LoadedStrategy:
    """Return a strategy from its written form, as a home keeps it.

    Parameters
    ----------
    document : str
        `LoadedStrategy.document`.
    source : str
        `LoadedStrategy.source`; the file of a strategy written in Python is read again.
    """
    if source.partition(":")[0].endswith(".py"):
        return _load(source)
    return loaded_spec(load_template(document, source).spec(), source)


def _load(name: str, stops: Stops | None = None) -> LoadedStrategy:
    path_text, _, class_name = name.partition(":")
    if path_text.endswith(".py"):
        return _load_class(Path(path_text), class_name)
    if name.endswith((".yaml", ".yml", ".json")):
        return loaded_spec(protected(load_strategy_template(name).spec(), stops), str(Path(name)))
    known = library()
    if name not in known:
        raise ConfigError(
            f"strategy was {name!r}; expected a file or one of {', '.join(sorted(known))}"
            f"{nearest(name, known)}"
        )
    return loaded_spec(protected(known[name], stops), "library")


def load_strategy_template(name: str) -> SpecTemplate:
    """Return a written strategy, by library name or file, with its named numbers still open.

    Raises
    ------
    ConfigError
        If it is not found, cannot be read, or is written in Python.
    """
    if not name.endswith((".yaml", ".yml", ".json")):
        if name.partition(":")[0].endswith(".py"):
            raise ConfigError(
                f"strategy was {name}; expected a document: Python has no named number"
            )
        return template_named(name)
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"strategy file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"strategy file {path} was not UTF-8 text: {error}") from error
    return load_template(text, str(path))


def protected(spec: StrategySpec, stops: Stops | None) -> StrategySpec:
    """Return a spec with the stops given where it names none of its own."""
    unprotected = spec.stops == Stops() and not spec.tiers
    return replace(spec, stops=stops) if stops is not None and unprotected else spec


def loaded_spec(spec: StrategySpec, source: str) -> LoadedStrategy:
    """Return a spec ready for the engine; ``source`` says where it came from, for a person."""
    return LoadedStrategy(setup_of(spec), dump_spec(spec), source)


def _load_class(path: Path, class_name: str) -> LoadedStrategy:
    strategy = _made(path, class_name)
    setup = StrategySetup(
        strategy=strategy,
        timeframe=strategy.timeframe,
        symbols=strategy.symbols,
        sizing=strategy.sizing,
        time_stop_bars=strategy.time_stop_bars,
        expire_after_bars=strategy.expire_after_bars,
        reasons=dict(strategy.reasons),
    )
    digest = _digest(path)
    _let_travel(strategy, path, class_name, digest)
    return LoadedStrategy(setup, f"{path.name}:{class_name} {digest}", f"{path}:{class_name}")


def _made(path: Path, class_name: str) -> PythonStrategy:
    module = _run_file(path)
    classes = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, PythonStrategy)
        and value.__module__ == module.__name__
    }
    if class_name not in classes:
        raise ConfigError(
            f"class was {class_name!r}; expected one of {', '.join(sorted(classes)) or 'none'} "
            f"in {path}{nearest(class_name, classes)}"
        )
    try:
        return classes[class_name]()
    except Exception as error:
        raise ConfigError(f"{class_name} of {path} cannot be made: {_told(error)}") from error


def _let_travel(strategy: PythonStrategy, path: Path, class_name: str, digest: str) -> None:
    """Let other processes have a strategy: they load its file, which is no module they could find.

    A strategy remembers nothing, so one that is made anew is the same.
    """
    again = _made_again, (path.resolve(), class_name, digest)
    copyreg.pickle(type(strategy), lambda _: again)


def _made_again(path: Path, class_name: str, digest: str) -> PythonStrategy:
    if (found := _digest(path)) != digest:
        raise ConfigError(
            f"strategy file {path} changed while it was being examined: its digest was {found}; "
            f"expected {digest}"
        )
    return _made(path, class_name)


def _digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _run_file(path: Path) -> ModuleType:
    """Run a person's Python file; a fault in it is told as theirs, by file and line."""
    name = f"tidewright_strategy_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise ConfigError(f"strategy file {path} was not found; expected FILE.py:CLASS")
    module = importlib.util.module_from_spec(specification)
    # Data classes look their module up by name while they are made.
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"strategy file {path} cannot be used: {_told(error)}") from error
    return module


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
