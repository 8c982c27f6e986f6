from __future__ import annotations

from pathlib import Path

import pytest

from tidewright.app.page.login import TOKEN_SECONDS, LoginStore
from tidewright.app.page.read_models import Role
from tidewright.domain.errors import ConfigError


def test_common_secrets_do_not_open_a_fresh_home(tmp_path: Path) -> None:
    store = LoginStore(tmp_path / "login.json")
    assert store.new_secret is not None
    assert len(store.new_secret) >= 32
    for secret in ("", "admin", "password", "tidewright"):
        assert store.verify(secret) is None
    assert store.verify(store.new_secret) is Role.OPERATOR
    assert (tmp_path / "login.json").stat().st_mode & 0o777 == 0o600
    assert store.new_secret not in (tmp_path / "login.json").read_text()
    again = LoginStore(tmp_path / "login.json")
    assert again.new_secret is None
    assert again.verify(store.new_secret) is Role.OPERATOR


def test_link_tokens_end_with_use_and_with_time(tmp_path: Path) -> None:
    now = [0.0]
    store = LoginStore(tmp_path / "login.json", lambda: now[0])
    token, late = store.issue(), store.issue(Role.VIEWER)
    assert store.redeem(token) is Role.OPERATOR
    assert store.redeem(token) is None
    now[0] = TOKEN_SECONDS + 1
    assert store.redeem(late) is None


def test_broken_login_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match=r"login\.json"):
        LoginStore(path)
