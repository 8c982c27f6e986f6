"""What the paper venue pretends, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import from_decimal
from tidewright.kernels.fills import FillRules

_PPM_PER_PERCENT = 10_000
_NANOSECONDS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """Costs and imperfections of the paper venue.

    Parameters
    ----------
    initial_balance : Decimal
        Cash of a new account in its currency, > 0; an account that has a log keeps its own.
    currency : str
        Currency of the account.
    simulate_slippage : bool
        Whether taking liquidity costs slippage.
    slippage_percent : Decimal
        Slippage in percent of the price, in [0, 50).
    simulate_spread : bool
        Whether taking liquidity costs half the spread.
    spread_percent : Decimal
        Full spread in percent of the price, in [0, 50).
    simulate_latency_ms : int
        Milliseconds between the decision for an order and its arrival, >= 0.
    latency_spread : Decimal
        Standard deviation of the logarithm of that time from order to order, in [0, 2].
    latency_spike_probability : Decimal
        Probability that an order travels longer by a spike, in [0, 1].
    latency_spike_ms : int
        Milliseconds that a spike adds, >= 0.
    simulate_partial_fills : bool
        Whether a bar may fill only a part of an order.
    partial_fill_probability : Decimal
        Probability that an order gets only a share of a bar's volume, in [0, 1].
    partial_fill_volume_percent : Decimal
        That share in percent, in (0, 100].
    simulate_volume_limit : bool
        Whether an order trades at most a share of a bar's volume in that bar.
    max_volume_percent : Decimal
        That share in percent, in (0, 100]; what is left is carried to the next bars.
    simulate_impact : bool
        Whether taking liquidity moves the price, with the square root of the share of the volume.
    impact_coefficient : Decimal
        What that root is multiplied with, beside the volatility of the bar, in (0, 100].
    fill_without_volume : bool
        Whether bars without volume fill orders; for data that states no volume.
    simulate_borrow : bool
        Whether short positions cost a fee for each UTC day that begins while they are held.
    borrow_percent_year : Decimal
        That fee in percent of the value per year, in [0, 10000), where the instrument states none.
    limit_through_ticks : int
        Ticks that a bar must trade beyond a resting limit order to fill it, >= 0.

    Raises
    ------
    ConfigError
        If a value is outside its range or finer than a millionth.
    """

    initial_balance: Decimal = Decimal(10_000)
    currency: str = "USDT"
    simulate_slippage: bool = True
    slippage_percent: Decimal = Decimal("0.15")
    simulate_spread: bool = True
    spread_percent: Decimal = Decimal("0.05")
    simulate_latency_ms: int = 100
    latency_spread: Decimal = Decimal(0)
    latency_spike_probability: Decimal = Decimal(0)
    latency_spike_ms: int = 0
    simulate_partial_fills: bool = False
    partial_fill_probability: Decimal = Decimal("0.1")
    partial_fill_volume_percent: Decimal = Decimal(10)
    simulate_volume_limit: bool = True
    max_volume_percent: Decimal = Decimal(1)
    simulate_impact: bool = True
    impact_coefficient: Decimal = Decimal(1)
    fill_without_volume: bool = False
    simulate_borrow: bool = True
    borrow_percent_year: Decimal = Decimal(5)
    limit_through_ticks: int = 1

    def __post_init__(self) -> None:
        if from_decimal(self.initial_balance) <= 0:
            raise ConfigError(f"initial_balance was {self.initial_balance}; expected above 0")
        for name in ("simulate_latency_ms", "latency_spike_ms", "limit_through_ticks"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 0 or more")
        self.rules(0)
        self.borrow_ppm(None)

    def rules(self, seed: int) -> FillRules:
        """Return the settings in the whole numbers of the fill kernel.

        Parameters
        ----------
        seed : int
            Seed of the draws, in [0, 2**63).

        Raises
        ------
        ConfigError
            If a value is outside its range or finer than a millionth.
        """
        if not 0 <= seed < 2**63:
            raise ConfigError(f"seed was {seed}; expected 0 to 2**63 - 1")
        slippage = _millionths("slippage_percent", self.slippage_percent, _PPM_PER_PERCENT, 500_000)
        spread = _millionths("spread_percent", self.spread_percent, _PPM_PER_PERCENT, 500_000)
        probability = _millionths(
            "partial_fill_probability", self.partial_fill_probability, 1_000_000, 1_000_001
        )
        share = self._above_zero("partial_fill_volume_percent", _PPM_PER_PERCENT, 1_000_001)
        most = self._above_zero("max_volume_percent", _PPM_PER_PERCENT, 1_000_001)
        impact = self._above_zero("impact_coefficient", 1_000_000, 100_000_001)
        costs = slippage if self.simulate_slippage else 0
        if self.simulate_spread:
            costs += -(-spread // 2)
        return FillRules(
            cost_ppm=costs,
            through_ticks=self.limit_through_ticks,
            latency=self.simulate_latency_ms * _NANOSECONDS_PER_MILLISECOND,
            partial_ppm=probability if self.simulate_partial_fills else 0,
            share_ppm=share,
            seed=seed,
            most_ppm=most if self.simulate_volume_limit else 0,
            impact_ppm=impact if self.simulate_impact else 0,
            quiet_bars=int(not self.fill_without_volume),
            spread_ppm=_millionths("latency_spread", self.latency_spread, 1_000_000, 2_000_001),
            spike_ppm=_millionths(
                "latency_spike_probability",
                self.latency_spike_probability,
                1_000_000,
                1_000_001,
            ),
            spike=self.latency_spike_ms * _NANOSECONDS_PER_MILLISECOND,
        )

    def borrow_ppm(self, stated: Decimal | None) -> int:
        """Return what a short position costs per year, in millionths of its value.

        Parameters
        ----------
        stated : Decimal or None
            The instrument's own share per year.
        """
        percent = self.borrow_percent_year
        own = _millionths("borrow_percent_year", percent, _PPM_PER_PERCENT, 100_000_000)
        if not self.simulate_borrow:
            return 0
        return own if stated is None else int(stated * 1_000_000)

    def _above_zero(self, name: str, scale: int, end: int) -> int:
        """Return a setting that must be above 0 in millionths."""
        found = _millionths(name, getattr(self, name), scale, end)
        if found == 0:
            raise ConfigError(f"{name} was 0; expected above 0")
        return found


def _millionths(name: str, value: Decimal, scale: int, end: int) -> int:
    """Return a setting in millionths, in [0, end)."""
    if not value.is_finite():
        raise ConfigError(f"{name} was {value}; expected a finite number")
    scaled = value * scale
    if scaled != scaled.to_integral_value() or not 0 <= scaled < end:
        raise ConfigError(
            f"{name} was {value}; expected 0 to less than {Decimal(end) / scale} "
            f"in steps of {Decimal(1) / scale}"
        )
    return int(scaled)
