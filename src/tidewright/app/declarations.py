"""Where declarations of data sets are kept: beside a file, or inside a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.market.declaration import DataDeclaration, parse_declaration

IN_FOLDER = "data.yaml"
"""Name of the declaration of a folder."""


def declaration_path(data: Path) -> Path:
    """Return where the declaration of a data set belongs: ``BARS.yaml``, ``FOLDER/data.yaml``."""
    return data / IN_FOLDER if data.is_dir() else data.with_suffix(".yaml")


def read_declaration(data: Path) -> DataDeclaration:
    """Return what is declared about a file or folder; nothing where no declaration is.

    Raises
    ------
    ConfigError
        If there is a declaration that cannot be used.
    """
    path = declaration_path(data)
    if not path.is_file():
        return DataDeclaration()
    try:
        return parse_declaration(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"declaration {path} cannot be read: {error}") from error


def declare(data: Path, given: Mapping[str, str]) -> DataDeclaration:
    """Write keys into the declaration of a data set and return the whole of it.

    Parameters
    ----------
    data : Path
        File or folder that exists.
    given : mapping of str to str
        Keys and their new values; other keys stay as they are.

    Raises
    ------
    ConfigError
        If the data set does not exist or the declaration would not be valid.
    """
    if not data.exists():
        raise ConfigError(f"data was {data}; expected a file or folder that exists")
    path = declaration_path(data)
    read_declaration(data)
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    text = yaml.safe_dump({**(known or {}), **given}, sort_keys=False, allow_unicode=True)
    found = parse_declaration(text, str(path))
    path.write_text(text, encoding="utf-8")
    return found


def carry(declared: DataDeclaration, folder: Path) -> str:
    """Keep what a file declared beside the stored bars that it was added to.

    Parameters
    ----------
    declared : DataDeclaration
        Of the file.
    folder : Path
        Of the stored bars.

    Returns
    -------
    str
        What a person should know; empty where the file declared nothing.

    Raises
    ------
    ConfigError
        If the stored bars have a declaration that cannot be used.
    """
    if not declared.source:
        return ""
    given = {key: value for key, value in declared.as_dict().items() if key != "source"}
    known = read_declaration(folder)
    if not known.source:
        declaration_path(folder).write_text(
            yaml.safe_dump(given, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        return f"its declaration is kept in {declaration_path(folder)}"
    if {**known.as_dict(), "source": ""} == {**given, "source": ""}:
        return ""
    return (
        f"{known.source} declares otherwise than {declared.source}; it was left as it is, and "
        "holds for everything stored"
    )


def with_sector(instrument: Instrument, declaration: DataDeclaration) -> Instrument:
    """Return an instrument with the sector that was declared for it, if any was."""
    sector = declaration.sectors.get(instrument.id, instrument.sector)
    return instrument if sector == instrument.sector else replace(instrument, sector=sector)
