"""Candlestick patterns as TA-Lib recognises them, one column each."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.features.declarations.builders import OHLC, Declare
from tidewright.features.declarations.model import (
    ColumnDeclaration,
    Family,
    RecursiveRecipe,
    Rows,
)

_PREFIX = "candle_"

_candlestick = Declare(Family.CANDLESTICK)

# name, TA-Lib function, look-back
_PATTERNS = (
    ("abandoned_baby", "CDLABANDONEDBABY", 12),
    ("advance_block", "CDLADVANCEBLOCK", 12),
    ("belt_hold", "CDLBELTHOLD", 10),
    ("breakaway", "CDLBREAKAWAY", 14),
    ("closing_marubozu", "CDLCLOSINGMARUBOZU", 10),
    ("concealing_baby_swallow", "CDLCONCEALBABYSWALL", 13),
    ("counterattack", "CDLCOUNTERATTACK", 11),
    ("dark_cloud_cover", "CDLDARKCLOUDCOVER", 11),
    ("doji", "CDLDOJI", 10),
    ("doji_star", "CDLDOJISTAR", 11),
    ("dragonfly_doji", "CDLDRAGONFLYDOJI", 10),
    ("engulfing", "CDLENGULFING", 2),
    ("evening_doji_star", "CDLEVENINGDOJISTAR", 12),
    ("evening_star", "CDLEVENINGSTAR", 12),
    ("gap_side_by_side_white", "CDLGAPSIDESIDEWHITE", 7),
    ("gap_three_methods", "CDLXSIDEGAP3METHODS", 2),
    ("gravestone_doji", "CDLGRAVESTONEDOJI", 10),
    ("hammer", "CDLHAMMER", 11),
    ("hanging_man", "CDLHANGINGMAN", 11),
    ("harami", "CDLHARAMI", 11),
    ("harami_cross", "CDLHARAMICROSS", 11),
    ("high_wave", "CDLHIGHWAVE", 10),
    ("hikkake", "CDLHIKKAKE", 5),
    ("homing_pigeon", "CDLHOMINGPIGEON", 11),
    ("identical_three_crows", "CDLIDENTICAL3CROWS", 12),
    ("in_neck", "CDLINNECK", 11),
    ("inverted_hammer", "CDLINVERTEDHAMMER", 11),
    ("kicking", "CDLKICKING", 11),
    ("kicking_by_length", "CDLKICKINGBYLENGTH", 11),
    ("ladder_bottom", "CDLLADDERBOTTOM", 14),
    ("long_legged_doji", "CDLLONGLEGGEDDOJI", 10),
    ("long_line", "CDLLONGLINE", 10),
    ("marubozu", "CDLMARUBOZU", 10),
    ("mat_hold", "CDLMATHOLD", 14),
    ("matching_low", "CDLMATCHINGLOW", 6),
    ("modified_hikkake", "CDLHIKKAKEMOD", 10),
    ("morning_doji_star", "CDLMORNINGDOJISTAR", 12),
    ("morning_star", "CDLMORNINGSTAR", 12),
    ("on_neck", "CDLONNECK", 11),
    ("piercing", "CDLPIERCING", 11),
    ("rickshaw_man", "CDLRICKSHAWMAN", 10),
    ("rise_fall_three_methods", "CDLRISEFALL3METHODS", 14),
    ("separating_lines", "CDLSEPARATINGLINES", 11),
    ("shooting_star", "CDLSHOOTINGSTAR", 11),
    ("short_line", "CDLSHORTLINE", 10),
    ("spinning_top", "CDLSPINNINGTOP", 10),
    ("stalled_pattern", "CDLSTALLEDPATTERN", 12),
    ("stick_sandwich", "CDLSTICKSANDWICH", 7),
    ("takuri", "CDLTAKURI", 10),
    ("tasuki_gap", "CDLTASUKIGAP", 7),
    ("three_black_crows", "CDL3BLACKCROWS", 13),
    ("three_inside", "CDL3INSIDE", 12),
    ("three_line_strike", "CDL3LINESTRIKE", 8),
    ("three_outside", "CDL3OUTSIDE", 3),
    ("three_stars_in_the_south", "CDL3STARSINSOUTH", 12),
    ("three_white_soldiers", "CDL3WHITESOLDIERS", 12),
    ("thrusting", "CDLTHRUSTING", 11),
    ("tristar", "CDLTRISTAR", 12),
    ("two_crows", "CDL2CROWS", 12),
    ("unique_three_river", "CDLUNIQUE3RIVER", 12),
    ("upside_gap_two_crows", "CDLUPSIDEGAP2CROWS", 12),
)


def _constant(lookback: int) -> Rows:
    def rows(_: Sequence[int]) -> int:
        return lookback

    return rows


def _pattern(name: str, function: str, lookback: int) -> ColumnDeclaration:
    return _candlestick.talib(
        f"{_PREFIX}{name}",
        f"Pattern {name.replace('_', ' ')}: 100 rising, -100 falling, 200 or -200 confirmed, or 0",
        "score",
        RecursiveRecipe(function, OHLC),
        _constant(lookback),
    )


CANDLESTICK_COLUMNS = tuple(_pattern(*pattern) for pattern in _PATTERNS)
