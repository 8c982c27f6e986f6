"""Reports as files: JSON that can be read again, and the page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tidewright.app.report_page.page import report_page
from tidewright.domain.errors import ConfigError, Transient
from tidewright.research.report.values import SCHEMA, Report
from tidewright.storage.files import write_atomically

if TYPE_CHECKING:
    from pydantic import ValidationError

_READABLE = 0o644


def report_json(report: Report) -> bytes:
    """Return a report as indented JSON."""
    return orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2)


def write_report(report: Report, *, html: Path | None = None, json: Path | None = None) -> None:
    """Write a report as a page, as JSON, or both; a file is replaced as a whole or not at all.

    Raises
    ------
    ConfigError
        If a file cannot be written.
    """
    if html is not None:
        _write(html, report_page(report).encode())
    if json is not None:
        _write(json, report_json(report))


def read_report(path: Path) -> Report:
    """Return a report from its JSON file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is no report of this version; the text names the place.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        found: Report = TypeAdapter(Report).validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_told(error)}") from error
    if found.schema != SCHEMA:
        raise ConfigError(f"{path}: schema was {found.schema}; expected {SCHEMA}")
    return found


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}; expected a report that `validate --json` wrote"


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data, mode=_READABLE)
    except Transient as error:
        raise ConfigError(f"{error}; expected a folder that exists and can be written") from error
