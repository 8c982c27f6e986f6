"""Signatures hold over the characters that are sent, and secrets do not show."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.served_venue import SIGNER, SIGNER_PEM
from tidewright.adapters.binance.hosts import Local
from tidewright.adapters.binance.signing import (
    Credentials,
    Ed25519Signer,
    HmacSigner,
    percent_encoded,
    signed,
)
from tidewright.domain.errors import ConfigError

# The worked example of Binance's documentation.
DOCUMENTED_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
DOCUMENTED = (
    *(("symbol", "LTCBTC"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC")),
    *(("quantity", "1"), ("price", "0.1"), ("recvWindow", "5000")),
    ("timestamp", "1499827319559"),
)
parameters = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=12)), min_size=1, max_size=5
).map(lambda pairs: [(name, value) for name, value in pairs])


def test_the_documented_example_has_the_documented_signature():
    text = signed(DOCUMENTED, HmacSigner(DOCUMENTED_SECRET))
    assert text.endswith(
        "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )


@given(parameters)
def test_what_is_encoded_is_read_back_and_sent_as_it_was_signed(pairs):
    text = percent_encoded(pairs)
    assert parse_qsl(text, keep_blank_values=True, strict_parsing=True) == pairs
    assert text.isascii()
    url = httpx.URL("http://127.0.0.1:1/api/v3/order").copy_with(query=text.encode())
    assert url.raw_path == b"/api/v3/order?" + text.encode()


@given(parameters)
def test_the_public_key_confirms_what_the_private_one_signed(pairs):
    payload, _, signature = signed(pairs, Ed25519Signer(SIGNER_PEM)).rpartition("&signature=")
    assert payload == percent_encoded(pairs)
    SIGNER.public_key().verify(base64.b64decode(unquote(signature)), payload.encode())


def test_keys_and_secrets_do_not_show():
    credentials = Credentials(Local, "the-key", HmacSigner("the-secret"))
    for text in (repr(credentials), repr(credentials.signer), repr(Ed25519Signer(SIGNER_PEM))):
        assert "the-" not in text
        assert "PRIVATE" not in text


def test_unusable_keys_are_refused_without_being_repeated():
    for pem in ("", "secret-nonsense", SIGNER_PEM.replace("M", "N", 1)):
        with pytest.raises(ConfigError, match="expected an Ed25519 key") as refused:
            Ed25519Signer(pem)
        assert refused.value.__cause__ is None
        assert "secret" not in str(refused.value)
    with pytest.raises(ConfigError):
        HmacSigner("")
    for key in ("", "two words", "line\nbreak", "clé"):
        with pytest.raises(ConfigError):
            Credentials(Local, key, HmacSigner("s"))
