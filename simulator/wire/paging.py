"""Answers in pages: a token says where the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class UnknownTokenError(ValueError):
    """The token was not given out by `page`."""


def page(items: Sequence[Item], token: str | None, size: int) -> tuple[list[Item], str | None]:
    """The page that `token` points to, and the token of the next one or None."""
    begin = _offset(token)
    end = begin + size
    following = urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(items) else None
    return list(items[begin:end]), following


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        mark, _, offset = urlsafe_b64decode(token.encode()).decode().partition(":")
        if mark != "at":
            raise UnknownTokenError(token)
        return int(offset)
    except (Error, UnicodeDecodeError, ValueError) as error:
        raise UnknownTokenError(token) from error
