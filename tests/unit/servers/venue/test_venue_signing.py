"""Signatures of both kinds, keys and their permissions, and the window of time."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.servers.venue import errors
from tidewright.servers.venue.signing import (
    ApiKey,
    Ed25519Key,
    HmacKey,
    KeyRing,
    Permission,
    check_signature,
    check_time,
    payload,
    signed_part,
)

# Key, parameters and signatures are the worked examples in the exchange's own documentation.
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
FIRST = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
SECOND = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
WHOLE_SIGNED = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
SPLIT_SIGNED = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
NOW = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


def _code(call) -> int:
    with pytest.raises(errors.ApiError) as caught:
        call()
    return caught.value.code


@pytest.fixture
def shared() -> ApiKey:
    return ApiKey("shared", 0, HmacKey(SECRET))


@pytest.fixture
def private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def public(private) -> ApiKey:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ApiKey("public", 0, Ed25519Key(pem.decode()))


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        ("", f"{FIRST}&{SECOND}", WHOLE_SIGNED),
        (f"{FIRST}&{SECOND}", "", WHOLE_SIGNED),
        (FIRST, SECOND, SPLIT_SIGNED),
    ],
)
def test_documented_examples_hold(shared, query, body, signature):
    for added in (f"{body}&signature={signature}", f"signature={signature}&{body}"):
        check_signature(shared, (payload(query, added if body else body),), signature)
    check_signature(
        shared, (b"", payload(f"{query}&signature={signature}", body)), signature.upper()
    )


def test_wrong_hmac_is_refused(shared):
    signed = payload("", f"{FIRST}&{SECOND}")
    assert _code(lambda: check_signature(shared, (signed,), WHOLE_SIGNED[::-1])) == -1022
    assert _code(lambda: check_signature(shared, (signed + b"0",), WHOLE_SIGNED)) == -1022
    for cut in (WHOLE_SIGNED[:-1], "", WHOLE_SIGNED + "0", "z" * 64):
        assert _code(lambda cut=cut: check_signature(shared, (signed,), cut)) == -1100


def test_ed25519_holds_and_its_case_counts(private, public):
    signed = payload(FIRST, SECOND)
    signature = base64.b64encode(private.sign(signed)).decode()
    check_signature(public, (signed,), signature)
    for wrong in (signature.swapcase(), signature[:-4], signature[1:], "", "ä", "A" * 88):
        assert _code(lambda wrong=wrong: check_signature(public, (signed,), wrong)) == -1022
    assert _code(lambda: check_signature(public, (signed + b"&",), signature)) == -1022


def test_key_that_is_not_ed25519_is_refused_at_the_start():
    with pytest.raises(ConfigError, match="expected PEM"):
        Ed25519Key("nonsense")


@given(st.lists(st.sampled_from(["a=1", "b=2", "signature=x"]), max_size=5))
def test_signature_is_taken_out_wherever_it_stands(parts):
    left = [part for part in parts if part != "signature=x"]
    assert signed_part("&".join(parts)) == "&".join(left)


def test_keys_are_found_by_name_permission_and_address(shared):
    reader = ApiKey(
        "reader", 1, HmacKey("x"), frozenset({Permission.USER_DATA}), frozenset({"10.0.0.1"})
    )
    ring = KeyRing([shared, reader])
    assert ring.find("shared", Permission.TRADE, "127.0.0.1") is shared
    assert ring.find("reader", Permission.USER_DATA, "10.0.0.1") is reader
    for name, permission, peer, code in (
        ("", Permission.TRADE, "127.0.0.1", -2014),
        ("a key", Permission.TRADE, "127.0.0.1", -2014),
        ("nobody", Permission.TRADE, "127.0.0.1", -2015),
        ("reader", Permission.TRADE, "10.0.0.1", -2015),
        ("reader", Permission.USER_DATA, "10.0.0.2", -2015),
    ):
        assert _code(lambda a=name, b=permission, c=peer: ring.find(a, b, c)) == code
    with pytest.raises(ConfigError, match="twice"):
        KeyRing([shared, shared])


@pytest.mark.parametrize(
    ("age", "window", "code"),
    [
        (0, 5_000_000, 0),
        (5_000 * MILLISECOND, 5_000_000, 0),
        (5_000 * MILLISECOND + 1, 5_000_000, -1021),
        (-1_000 * MILLISECOND + 1, 5_000_000, 0),
        (-1_000 * MILLISECOND, 5_000_000, -1021),
        (1_346_000, 1_346, 0),
        (1_347_000, 1_346, -1021),
        (60_000 * MILLISECOND, 60_000_000, 0),
        (0, 60_000_001, -1131),
        (0, 0, 0),
    ],
)
def test_window_of_time_has_exact_edges(age, window, code):
    if code:
        assert _code(lambda: check_time(NOW - age, window, (NOW,))) == code
    else:
        check_time(NOW - age, window, (NOW,))


def test_one_clock_that_fits_is_enough():
    check_time(NOW, 5_000_000, (NOW + 3_600 * 10**9, NOW))
