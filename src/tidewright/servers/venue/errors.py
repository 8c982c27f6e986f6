"""The venue's refusals, with the codes and texts that clients know them by.

Bodies are ``{"code": CODE, "msg": TEXT}``, sometimes with ``data``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidewright.domain.errors import TidewrightError
from tidewright.exchange.spot.values import Kind, Reason, Refusal

CONFLICT, GONE, BANNED, TOO_MANY = 409, 410, 418, 429
NOT_FOUND_PAGE = b"<html><body><h2>404 Not found</h2></body></html>"


class ApiError(TidewrightError):
    """A request that is answered with an error.

    Parameters
    ----------
    code : int
        The venue's code, below 0.
    message : str
        The text that goes with it.
    status : int
        HTTP status.
    data : mapping, optional
        What more the body tells.
    retry_after : int
        Seconds to wait; 0 says nothing.
    """

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        *,
        data: Mapping[str, object] | None = None,
        retry_after: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        told: dict[str, object] = {"code": self.code, "msg": self.message}
        if self.data is not None:
            told["data"] = self.data
        return told


def unknown() -> ApiError:
    """Return the answer to a request that broke the venue."""
    return ApiError(-1000, "An unknown error occurred while processing the request.", 500)


def too_much_weight(limit: int, interval: str, retry_after: int) -> ApiError:
    """Return the answer to more weight than a window allows."""
    text = (
        f"Too much request weight used; current limit is {limit} request weight per {interval}. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return ApiError(-1003, text, TOO_MANY, retry_after=retry_after)


def too_many_requests(limit: int, interval: str, retry_after: int) -> ApiError:
    """Return the answer to more requests than a window allows."""
    text = (
        f"Too many requests; current limit is {limit} requests per {interval}. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return ApiError(-1003, text, TOO_MANY, retry_after=retry_after)


def banned(until: int, retry_after: int) -> ApiError:
    """Return the answer to an address that is banned until a time in milliseconds."""
    text = (
        f"Way too much request weight used; IP banned until {until}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return ApiError(-1003, text, BANNED, retry_after=retry_after)


def too_many_orders(limit: int, interval: str, retry_after: int) -> ApiError:
    """Return the answer to more unfilled orders than a window allows."""
    text = f"Too many new orders; current limit is {limit} orders per {interval}."
    return ApiError(-1015, text, TOO_MANY, retry_after=retry_after)


def no_longer() -> ApiError:
    """Return the answer to what the exchange does no more."""
    return ApiError(-1016, "This service is no longer available.", GONE)


def late() -> ApiError:
    """Return the answer to a request that is older than its window."""
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def early() -> ApiError:
    """Return the answer to a request from the future."""
    text = "Timestamp for this request was 1000ms ahead of the server's time."
    return ApiError(-1021, text)


def bad_signature() -> ApiError:
    """Return the answer to a signature that does not hold."""
    return ApiError(-1022, "Signature for this request is not valid.")


def illegal_characters(name: str, legal: str) -> ApiError:
    """Return the answer to a parameter outside its alphabet."""
    text = f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    return ApiError(-1100, text)


def too_many_parameters(expected: int, received: int) -> ApiError:
    """Return the answer to more parameters than there are."""
    text = f"Too many parameters; expected '{expected}' and received '{received}'."
    return ApiError(-1101, text)


def duplicate_parameter() -> ApiError:
    """Return the answer to one parameter sent twice."""
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def missing(name: str) -> ApiError:
    """Return the answer to a request without a parameter that it needs."""
    text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return ApiError(-1102, text)


def missing_both(one: str, other: str) -> ApiError:
    """Return the answer to a request with neither of two parameters."""
    return ApiError(-1102, f"Param '{one}' or '{other}' must be sent, but both were empty/null!")


def unread(read: int, sent: int) -> ApiError:
    """Return the answer to parameters that nobody knows."""
    text = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return ApiError(-1104, text)


def empty(name: str) -> ApiError:
    """Return the answer to a parameter without a value."""
    return ApiError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> ApiError:
    """Return the answer to a parameter that does not go with the others."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def overflowed(name: str) -> ApiError:
    """Return the answer to a number that is too large."""
    return ApiError(-1108, f"Parameter '{name}' overflowed.")


def too_precise(name: str) -> ApiError:
    """Return the answer to a number with too many decimal places."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def bad_symbol() -> ApiError:
    """Return the answer to a symbol that is not listed."""
    return ApiError(-1121, "Invalid symbol.")


def bad_combination() -> ApiError:
    """Return the answer to parameters that do not go together."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def bad_value(name: str) -> ApiError:
    """Return the answer to a value that is not among the known ones."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_window() -> ApiError:
    """Return the answer to a recvWindow that is too long."""
    return ApiError(-1131, "recvWindow must be less than 60000.")


def bad_key_format() -> ApiError:
    """Return the answer to a request without a well-formed API key."""
    return ApiError(-2014, "API-key format invalid.", 401)


def rejected_key() -> ApiError:
    """Return the answer to a key that is unknown, from elsewhere, or may not do this."""
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def no_such_order() -> ApiError:
    """Return the answer to a query for an order that never was."""
    return ApiError(-2013, "Order does not exist.")


_SUPPORT = {
    Kind.MARKET: "Market orders are not supported for this symbol.",
    Kind.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    Kind.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    Kind.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    Kind.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}
_OF_REASON = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.MARKET_CLOSED: (-2010, "Market is closed."),
    Reason.NO_BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.DUPLICATE: (-2010, "Duplicate order sent."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (-2010, "Order would trigger immediately."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.NO_SUCH_ORDER: (-2013, "Order does not exist."),
    Reason.NO_LIQUIDITY: (-2010, "Order book liquidity is less than symbol minimum quantity."),
    Reason.NOT_ALLOWED: (-2010, "This action is disabled on this account."),
    Reason.WRONG_CLIENT_ID: (-2039, "Client order ID is not correct for this order ID."),
    Reason.BAD_ICEBERG: (-2010, "IcebergQty exceeds QTY."),
    Reason.BAD_LIST: (-2010, "The relationship of the prices for the orders is not correct."),
    Reason.CANCEL_RESTRICTED: (-2011, "Order was not canceled due to cancel restrictions."),
    Reason.BAD_AMEND: (-2038, "Order amend (quantity increase) is not supported."),
}


def of_refusal(refusal: Refusal) -> ApiError:
    """Return what a client is told when the exchange says no."""
    if refusal.reason is Reason.FILTER:
        return ApiError(-1013, f"Filter failure: {refusal.detail}")
    if refusal.reason is Reason.BOOK_FULL:
        text = (
            "Server is currently overloaded with other requests. Please try again in a few minutes."
        )
        return ApiError(-1008, text, 503)
    code, text = _OF_REASON[refusal.reason]
    if refusal.reason is Reason.NOT_ALLOWED and refusal.detail in Kind.__members__:
        text = _SUPPORT.get(Kind(refusal.detail), "Unsupported order combination")
    return ApiError(code, text)
