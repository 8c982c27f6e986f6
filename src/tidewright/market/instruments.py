"""Instruments: shipped rules, a person's own rules, and what has to be inferred from the data.

Whatever is not written down somewhere is inferred, and every inference is returned, so that it can
be printed and stored beside the result that rests on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.market.validation import Float64, RawBars

MAX_DECIMALS = 8
"""Finest step that is inferred."""

_NOISE = 1e-15
_LARGEST = 2.0**53


@dataclass(frozen=True, slots=True)
class Inference:
    """One property that no file stated.

    Parameters
    ----------
    instrument, field : str
        What was inferred, such as ``"tick_size"``.
    value : str
        What was taken for it.
    reason : str
        Why.
    """

    instrument: str
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.instrument}: {self.field} {self.value} ({self.reason})"


class _Terms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    venue: str
    asset_class: AssetClass
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    maker_fee_rate: Decimal = Decimal("0.001")
    taker_fee_rate: Decimal = Decimal("0.001")
    shortable: bool = False
    borrow_percent_year: Decimal | None = None


class _Entry(_Terms):
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal


class _Rule(_Terms):
    name: str
    match: str
    quote: str = ""

    @field_validator("match")
    @classmethod
    def _names_a_base(cls, text: str) -> str:
        try:
            groups = re.compile(text).groupindex
        except re.error as error:
            raise ValueError(f"expected a regular expression: {error}") from error
        if "base" not in groups:
            raise ValueError("expected a regular expression with a group named base")
        return text


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    instruments: dict[str, _Entry] = {}
    rules: list[_Rule] = []


@dataclass(frozen=True, slots=True)
class InstrumentTable:
    """Known instruments and the rules for all others.

    Parameters
    ----------
    version : str
        Versions of the files that it was made of.
    instruments : mapping of str to Instrument
        Stated instruments, by id.
    rules : tuple
        Rules for instruments that are not stated, in the order in which they are tried.
    """

    version: str
    instruments: Mapping[str, Instrument]
    rules: tuple[_Rule, ...]

    def get(self, name: str) -> Instrument:
        """Return a stated instrument.

        Raises
        ------
        ConfigError
            If no file states it.
        """
        found = self.instruments.get(name)
        if found is None:
            raise ConfigError(
                f"instrument was {name!r}; expected one of the stated ones"
                f"{nearest(name, self.instruments)}"
            )
        return found

    def resolve(
        self, name: str, raw: RawBars | None = None
    ) -> tuple[Instrument, tuple[Inference, ...]]:
        """Return an instrument that can hold the given data, and what had to be inferred.

        Parameters
        ----------
        name : str
            Instrument id.
        raw : RawBars or None
            The data; prices off the stated tick make the tick finer, which is reported.

        Raises
        ------
        ConfigError
            If a size is neither stated nor to be inferred for want of data.
        """
        stated = self.instruments.get(name)
        if stated is not None:
            return _fit(stated, raw)
        rule, found = self._rule(name)
        base, quote = found["base"] or name, found.get("quote") or rule.quote
        reason = f"rule {rule.name} of instrument table {self.version}"
        inferred = [
            Inference(name, "asset_class", str(rule.asset_class), reason),
            Inference(name, "fees", f"{rule.maker_fee_rate}/{rule.taker_fee_rate}", reason),
        ]
        sizes: dict[str, Decimal] = {}
        for field, size in (("tick_size", rule.tick_size), ("lot_size", rule.lot_size)):
            if size is not None:
                sizes[field] = size
                inferred.append(Inference(name, field, str(size), reason))
                continue
            if raw is None:
                raise ConfigError(f"{name}: no {field} was stated; expected data to infer it from")
            values = raw.prices.ravel() if field == "tick_size" else raw.volume
            sizes[field], why = infer_step(values)
            inferred.append(Inference(name, field, f"{sizes[field]:f}", why))
        source = f"inferred: {reason}; {'; '.join(str(item) for item in inferred[2:])}"
        instrument = _instrument(name, (base, quote), sizes, rule, source)
        fitted, finer = _fit(instrument, raw)
        return fitted, (*inferred, *finer)

    def _rule(self, name: str) -> tuple[_Rule, dict[str, str | None]]:
        for rule in self.rules:
            if found := re.fullmatch(rule.match, name):
                return rule, found.groupdict()
        raise ConfigError(f"instrument was {name!r}; expected a name that some rule matches")


def _instrument(
    name: str,
    currencies: tuple[str, str],
    sizes: Mapping[str, Decimal],
    terms: _Terms,
    source: str,
) -> Instrument:
    return Instrument(
        id=name,
        venue=terms.venue,
        base=currencies[0],
        quote=currencies[1],
        asset_class=terms.asset_class,
        tick_size=sizes["tick_size"],
        lot_size=sizes["lot_size"],
        min_quantity=terms.min_quantity,
        max_quantity=terms.max_quantity,
        min_notional=terms.min_notional,
        maker_fee_rate=terms.maker_fee_rate,
        taker_fee_rate=terms.taker_fee_rate,
        shortable=terms.shortable,
        source=source,
        borrow_rate=None if terms.borrow_percent_year is None else terms.borrow_percent_year / 100,
    )


def infer_step(values: Float64) -> tuple[Decimal, str]:
    """Return the largest power of ten, at most 1, of which all values are whole multiples.

    Parameters
    ----------
    values : float64 array
        Prices or quantities; those that are not finite or not above 0 are passed over.

    Returns
    -------
    Decimal
        The step, at least ``10**-MAX_DECIMALS``.
    str
        How it was found, and how many values have more decimals than it holds.
    """
    used = values[np.isfinite(values) & (values > 0)]
    finest = 10**MAX_DECIMALS
    # Whole parts are split off first: the fraction is exact and small enough to scale exactly.
    fraction = np.rint((used - np.floor(used)) * finest).astype(np.int64)
    decimals = next(
        count
        for count in range(MAX_DECIMALS + 1)
        if not np.any(fraction % 10 ** (MAX_DECIMALS - count))
    )
    step = Decimal(1).scaleb(-decimals)
    reason = f"largest decimal step that holds all {len(used)} values of the data"
    count = int(np.sum(_off_grid(used, step)))
    if count:
        reason += f", {count} of which have more than {MAX_DECIMALS} decimals"
    return step, reason


def snapped(raw: RawBars, tick: Decimal) -> tuple[RawBars, int]:
    """Return bars whose prices lost the digits beyond the eighth decimal, and how many had some.

    Parameters
    ----------
    raw : RawBars
        Bars as they came.
    tick : Decimal
        Tick on which they lie but for such digits; prices that do not stay as they are.
    """
    numerator, denominator = tick.as_integer_ratio()
    prices = raw.prices
    with np.errstate(invalid="ignore"):
        grid = np.rint(prices * denominator / numerator) * numerator / denominator
        change = np.abs(grid - prices)
        noisy = (change > _NOISE * np.abs(prices)) & (change <= 0.5 * 10.0**-MAX_DECIMALS)
    if not noisy.any():
        return raw, 0
    return RawBars(raw.ts_event, np.where(noisy, grid, prices), raw.volume), int(noisy.sum())


def _off_grid(values: Float64, step: Decimal) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    numerator, denominator = step.as_integer_ratio()
    steps = np.rint(values * denominator / numerator)
    off: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        np.abs(steps * numerator / denominator - values) > _NOISE * values
    ) & (steps <= _LARGEST)
    return off


def _fit(instrument: Instrument, raw: RawBars | None) -> tuple[Instrument, tuple[Inference, ...]]:
    """Make the tick as fine as the data needs; the data is what was traded."""
    if raw is None:
        return instrument, ()
    values = raw.prices.ravel()
    values = values[np.isfinite(values) & (values > 0)]
    off = int(np.sum(_off_grid(values, instrument.tick_size)))
    if not off:
        return instrument, ()
    step, _ = infer_step(values)
    if step % instrument.tick_size == 0:
        return instrument, ()
    reason = (
        f"{off} of {len(values)} prices lie off the stated tick {instrument.tick_size}; "
        f"finest tick that holds them all within {MAX_DECIMALS} decimals"
    )
    finer = Inference(instrument.id, "tick_size", f"{step:f}", reason)
    source = f"{instrument.source}; inferred: {finer}"
    return replace(instrument, tick_size=step, source=source), (finer,)


@cache
def _shipped() -> str:
    return (files("tidewright.market") / "shipped" / "instruments.yaml").read_text("utf-8")


def load_table(override: Path | None = None) -> InstrumentTable:
    """Return the shipped instruments with a person's own file laid over them.

    Parameters
    ----------
    override : Path or None
        A file of the same form; its entries replace shipped ones of the same id, its rules are
        tried before the shipped ones.

    Raises
    ------
    ConfigError
        If the file cannot be read or does not have that form.
    """
    shipped = _parse(_shipped(), "shipped")
    instruments = _entries(shipped, f"shipped instrument table {shipped.version}")
    version, rules = f"shipped-{shipped.version}", tuple(shipped.rules)
    if override is not None:
        try:
            text = override.read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"instrument file {override} could not be read: {error}") from error
        own = _parse(text, str(override))
        instruments |= _entries(own, f"{override} version {own.version}")
        version, rules = f"{version}+{override.name}-{own.version}", (*own.rules, *rules)
    return InstrumentTable(version, instruments, rules)


def _entries(file: _File, source: str) -> dict[str, Instrument]:
    return {
        name: _instrument(
            name,
            (entry.base, entry.quote),
            {"tick_size": entry.tick_size, "lot_size": entry.lot_size},
            entry,
            source,
        )
        for name, entry in file.instruments.items()
    }


def _parse(text: str, source: str) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"instrument file {source} was no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            known = {*_Entry.model_fields, *_Rule.model_fields, *_File.model_fields}
            hint = nearest(str(first["loc"][-1]), known)
        raise ConfigError(
            f"instrument file {source}: {place or 'the whole file'}: {first['msg']}; "
            f"it was {first['input']!r}{hint}"
        ) from error
