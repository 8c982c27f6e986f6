"""Quotes that pay for the risk of holding, and a policy of them for the order book.

After Avellaneda & Stoikov (2008), "High-frequency trading in a limit order book".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.exchange.environment.rules import MarketRules
from tidewright.kernels.environment import layout as at

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


def reservation_price(
    middle: float | Float64, held: float | Float64, risk: float | Float64
) -> Float64:
    """Return the price at which a holder does not care whether one unit more is held.

    Parameters
    ----------
    middle : float or float64 array
        Price between the best quotes.
    held : float or float64 array
        Units held; below 0 when owed.
    risk : float or float64 array
        Aversion to risk (1 / money) x variance of the price in a unit of time x time until
        everything is valued; 0 or more.

    Returns
    -------
    float64 array
        Falls as more is held.
    """
    return np.asarray(middle - held * risk, np.float64)


def optimal_spread(aversion: float, risk: float | Float64, decay: float) -> Float64:
    """Return the distance between the bid and the ask around the reservation price.

    Parameters
    ----------
    aversion : float
        Of risk, 1 / money; above 0.
    risk : float or float64 array
        As of `reservation_price`.
    decay : float
        How fast orders get rarer with distance from the middle: their rate is in proportion to
        exp(-decay x distance); above 0.

    Raises
    ------
    ConfigError
        If aversion or decay is not above 0.
    """
    if aversion <= 0.0 or decay <= 0.0:
        raise ConfigError(f"aversion was {aversion} and decay {decay}; expected numbers above 0")
    return np.asarray(risk + 2.0 / aversion * math.log1p(aversion / decay), np.float64)


@dataclass(frozen=True, slots=True)
class AvellanedaStoikov:
    """Quote both sides of the order book, one order an action, the one that is further off first.

    Parameters
    ----------
    rules : MarketRules
        Of the markets that are traded.
    aversion : float
        Of risk, for one order's lots.
    variance : float
        Of the middle over a whole episode, ticks squared.
    decay : float
        How fast orders get rarer with each tick from the middle.
    size : int
        Which size is quoted, from 0 on.
    """

    rules: MarketRules
    aversion: float = 0.005
    variance: float = 200.0
    decay: float = 1.0
    size: int = 0

    def targets(self, observations: Float32) -> Int64:
        """Return how many ticks below and above the middle to quote.

        Parameters
        ----------
        observations : float32 array of shape (n, 19)

        Returns
        -------
        int64 array of shape (n, 2)
            Between 0 and the largest distance of the rules.
        """
        lots = self.rules.order_lots * (self.size + 1)
        risk = self.aversion * self.variance * observations[:, at.SEEN_TIME].astype(np.float64)
        held = observations[:, at.SEEN_HELD].astype(np.float64) / lots
        lean = reservation_price(0.0, held, risk)
        half = 0.5 * optimal_spread(self.aversion, risk, self.decay)
        away = np.stack((half - lean, half + lean), axis=1)
        return np.clip(np.rint(away), 0, self.rules.distances - 1).astype(np.int64)

    def actions(self, observations: Float32) -> Int64:
        """Return an action for each market.

        Parameters
        ----------
        observations : float32 array of shape (n, 19)

        Returns
        -------
        int64 array of shape (n, 3)
        """
        targets = self.targets(observations)
        wrong = np.zeros(targets.shape)
        for side, place in enumerate((at.SEEN_OWN_BID, at.SEEN_OWN_ASK)):
            # A middle on a half tick puts an order half a tick further out.
            off = np.abs(observations[:, place] - targets[:, side])
            stands = observations[:, place + 1] > 0.0
            wrong[:, side] = np.where(stands, np.where(off > 0.5, off, 0.0), np.inf)
        # Where both are missing, the one that brings holdings back to zero goes first.
        held = observations[:, at.SEEN_HELD]
        second = (wrong[:, 1] > wrong[:, 0]) | ((wrong[:, 1] == wrong[:, 0]) & (held > 0.0))
        row = np.arange(len(targets))
        side = second.astype(np.int64)
        found = np.zeros((len(targets), at.N_ACTION), np.int64)
        found[:, at.ACT] = np.where(wrong[row, side] > 0.0, np.where(second, at.ASK, at.BID), 0)
        found[:, at.AWAY], found[:, at.LOTS] = targets[row, side], self.size
        return found
