"""Matching regular expressions for no longer than whoever asked may wait.

An expression that backtracks can take longer than anybody lives. A query or a filter has a few seconds of
matching in all, and is told when they are used up.
"""

from time import monotonic

import regex

_LEAST = 0.001


class OverrunError(Exception):
    """The expressions used up the time they had."""


class Allowance:
    """Seconds of matching, used up search by search."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def search(self, pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
        """Where the pattern is found first, or None; OverrunError when the time is used up."""
        began = monotonic()
        try:
            found = pattern.search(text, timeout=self._left)
        except TimeoutError as error:
            self._left = _LEAST
            raise OverrunError("the regular expression takes too long") from error
        self._left = max(self._left - (monotonic() - began), _LEAST)
        return found
