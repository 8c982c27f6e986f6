"""The compiled BLAKE2b against the standard library's."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest

from tidewright.domain.orders import Leg, client_order_id, leg_client_id
from tidewright.kernels.hashing import blake2b_key, entry_key


def expected(message: bytes) -> int:
    return int.from_bytes(blake2b(message, digest_size=8).digest(), "big") >> 2


@pytest.mark.parametrize("length", [1, 7, 8, 9, 36, 63, 64, 127, 128])
def test_digests_are_those_of_the_library(length: int) -> None:
    for seed in range(20):
        message = np.zeros(128, np.uint8)
        message[:length] = np.random.default_rng(seed).integers(0, 256, length)
        assert blake2b_key(message, length) == expected(message[:length].tobytes())


@pytest.mark.parametrize("sequence", [1, 9, 10, 15, 16, 255, 256, 4_095, 2**31, 2**56 + 11])
def test_key_is_the_digest_of_the_client_id(sequence: int) -> None:
    for name in ("BTCUSDT", "SPY"):
        stem = client_order_id("home", "main", "sma_cross", name, sequence)
        owner = np.uint64(int(stem.partition("-")[0], 16)).astype(np.int64)
        assert entry_key(int(owner), sequence) == expected(leg_client_id(stem, Leg.ENTRY).encode())
