"""BLAKE2b of short messages (RFC 7693), for draws that depend on a client id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Uint64 = NDArray[np.uint64]
"""Array of uint64."""

_START = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)
_LANES = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    np.int64,
)
_ROUNDS = 12
_SHORT = 8
"""Bytes of the digest."""


@compiled
def _turn(value: np.uint64, bits: int) -> np.uint64:
    return (value >> np.uint64(bits)) | (value << np.uint64(64 - bits))


@compiled
def _mix(work: Uint64, lane: NDArray[np.int64], x: np.uint64, y: np.uint64) -> None:
    a, b, c, d = lane[0], lane[1], lane[2], lane[3]
    work[a] += work[b] + x
    work[d] = _turn(work[d] ^ work[a], 32)
    work[c] += work[d]
    work[b] = _turn(work[b] ^ work[c], 24)
    work[a] += work[b] + y
    work[d] = _turn(work[d] ^ work[a], 16)
    work[c] += work[d]
    work[b] = _turn(work[b] ^ work[c], 63)


@compiled
def blake2b_key(message: NDArray[np.uint8], length: int) -> int:
    """Return the 8-byte BLAKE2b digest of a message as a number without its two lowest bits.

    Equals ``int.from_bytes(hashlib.blake2b(message, digest_size=8).digest(), "big") >> 2``.

    Parameters
    ----------
    message : uint8 array of shape (128,)
        The message, filled up with zeros.
    length : int
        Its length in bytes, 1 to 128.

    Returns
    -------
    int
        In [0, 2**62).
    """
    block = np.zeros(16, np.uint64)
    for place in range(length):
        block[place // 8] |= np.uint64(message[place]) << np.uint64(8 * (place % 8))
    first = _START[0] ^ np.uint64(0x01010000) ^ np.uint64(_SHORT)
    work = np.concatenate((_START, _START))
    work[0] = first
    work[12] ^= np.uint64(length)
    work[14] = ~work[14]
    for turn in range(_ROUNDS):
        order = _ORDER[turn % 10]
        for lane in range(8):
            x, y = block[order[2 * lane]], block[order[2 * lane + 1]]
            _mix(work, _LANES[lane], x, y)
    digest = first ^ work[0] ^ work[8]
    swapped = np.uint64(0)
    for place in range(8):
        byte = (digest >> np.uint64(8 * place)) & np.uint64(0xFF)
        swapped |= byte << np.uint64(8 * (7 - place))
    return np.int64(swapped >> np.uint64(2))  # type: ignore[return-value]


@compiled
def _put_hexadecimal(message: NDArray[np.uint8], start: int, value: int, digits: int) -> None:
    for place in range(digits):
        digit = (np.uint64(value) >> np.uint64(4 * (digits - 1 - place))) & np.uint64(15)
        letter = np.int64(digit)
        message[start + place] = letter + (48 if letter < 10 else 87)


@compiled
def entry_key(owner: int, sequence: int) -> int:
    """Return the key of an entry's client id, on which its draws depend.

    Parameters
    ----------
    owner : int
        The 64 bits that the id begins with, in hexadecimal, as int64.
    sequence : int
        Journal sequence of the input that led to the order, > 0.
    """
    message = np.zeros(128, np.uint8)
    _put_hexadecimal(message, 0, owner, 16)
    digits = 1
    while sequence >> (4 * digits) > 0:
        digits += 1
    message[16] = 45
    _put_hexadecimal(message, 17, sequence, digits)
    message[17 + digits] = 45
    message[18 + digits] = 101
    return blake2b_key(message, 19 + digits)
