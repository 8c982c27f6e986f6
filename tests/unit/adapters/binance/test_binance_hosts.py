"""A key of one network cannot reach another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.adapters.binance.hosts import (
    Endpoint,
    Local,
    Mainnet,
    Testnet,
    on_mainnet,
    on_testnet,
    on_this_machine,
)
from tidewright.domain.errors import ConfigError

OWN = {
    Mainnet: on_mainnet().url,
    Testnet: on_testnet().url,
    Local: on_this_machine(8080).url,
}


@pytest.mark.parametrize("network", OWN)
@pytest.mark.parametrize("other", OWN)
def test_each_network_takes_its_own_hosts_alone(network, other):
    if network is other:
        assert Endpoint(network, OWN[other]).network is network
    else:
        with pytest.raises(ConfigError, match="host of"):
            Endpoint(network, OWN[other])


@pytest.mark.parametrize(
    "url",
    [
        "http://api.binance.com",
        "ws://api.binance.com",
        "https://api.binance.com.evil.example",
        "https://evil.example/api.binance.com",
        "https://evil.example#api.binance.com",
        "https://api.binance.com@evil.example",
        "https://user:secret@api.binance.com",
        "https://api.binance.com/other",
        "https://api.binance.com?x=1",
        "https://api.binance.com:port",
        "https://API.binance.com.",
        "api.binance.com",
        "",
    ],
)
def test_other_addresses_are_refused_and_secrets_in_them_not_repeated(url):
    with pytest.raises(ConfigError) as refused:
        Endpoint(Mainnet, url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"])
def test_plain_http_is_for_this_machine(host):
    assert Endpoint(Local, f"http://{host}:1").url


@given(st.ip_addresses(v=4).filter(lambda address: not address.is_loopback))
def test_no_other_address_is_local(address):
    for scheme in ("http", "https"):
        with pytest.raises(ConfigError):
            Endpoint(Local, f"{scheme}://{address}:1")
