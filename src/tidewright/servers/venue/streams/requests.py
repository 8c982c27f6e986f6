"""Requests of the WebSocket API as they are written, and their answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import orjson

VERSION = "v3/"
"""What a method's name may begin with."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request.

    Parameters
    ----------
    number : int or str or None
        Its id, which the answer repeats.
    method : str
        Without a version.
    parameters : mapping of str to str
        As REST has them: texts, also where the request had numbers, booleans or lists.
    shows_limits : bool or None
        Whether the answer tells how much of the limits is used; None leaves it to the connection.
    """

    number: int | str | None
    method: str
    parameters: Mapping[str, str]
    shows_limits: bool | None = None

    @property
    def signed_texts(self) -> tuple[str, str]:
        """What a signature may be of: parameters by name, as they are and percent-encoded."""
        pairs = sorted(
            (name, text) for name, text in self.parameters.items() if name != "signature"
        )
        plain = "&".join(f"{name}={text}" for name, text in pairs)
        encoded = "&".join(f"{name}={quote(text, safe='~')}" for name, text in pairs)
        return plain, encoded


class WrongRequest(Exception):
    """A text that is no request.

    Parameters
    ----------
    number : int or str or None
        The id, where one could be read.
    code : int
        The protocol's error code.
    message : str
        The protocol's words.
    """

    def __init__(self, number: int | str | None, code: int, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.code = code
        self.message = message


def read_request(text: str) -> ApiRequest:
    """Read one request.

    Raises
    ------
    WrongRequest
        If it is not one.
    """
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise WrongRequest(None, -1135, "Invalid JSON Request") from None
    if not isinstance(said, dict):
        raise WrongRequest(None, -1135, "Invalid JSON Request")
    number = said.get("id")
    if (
        "id" not in said
        or isinstance(number, bool)
        or not isinstance(number, (int, str, type(None)))
    ):
        raise WrongRequest(None, -1102, _missing("id"))
    method = said.get("method")
    if not isinstance(method, str) or not method:
        raise WrongRequest(number, -1102, _missing("method"))
    parameters = said.get("params") or {}
    if not isinstance(parameters, dict):
        message = "Invalid 'params' in JSON request; expected an object."
        raise WrongRequest(number, -1000, message)
    if any(isinstance(value, float) for value in parameters.values()):
        # A signature is of the digits that were sent, not of the number they stand for.
        parameters = json.loads(text, parse_float=str)["params"]
    texts = {name: _text(value) for name, value in parameters.items() if value is not None}
    shown = parameters.get("returnRateLimits")
    return ApiRequest(
        number, method.removeprefix(VERSION), texts, shown if isinstance(shown, bool) else None
    )


def write_answer(
    number: int | str | None, status: int, body: bytes, limits: bytes | None = None
) -> bytes:
    """Write the answer to a request.

    Parameters
    ----------
    number : int or str or None
        The request's id.
    status : int
        As in HTTP; from 400 on the body is an error.
    body : bytes
        JSON, as REST would answer.
    limits : bytes, optional
        JSON of the limits and how much of them is used.
    """
    what = b"result" if status < 400 else b"error"
    told = b',"rateLimits":' + limits if limits is not None else b""
    return b'{"id":%b,"status":%d,"%b":%b%b}' % (orjson.dumps(number), status, what, body, told)


def _missing(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
