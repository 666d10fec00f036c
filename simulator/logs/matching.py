"""Matching regular expressions for no longer than whoever asked may wait.

An expression that backtracks can take longer than anybody lives. A query or a filter has a few seconds of
matching in all, and is told when they are used up.
"""

from time import thread_time

import regex

_LEAST = 0.001
# Nearly every match ends sooner. Until then other threads wait, since handing over costs more than the match.
_MOMENT = 0.02


class OverrunError(Exception):
    """The expressions used up the time they had."""


class Allowance:
    """Seconds of matching, used up search by search.

    Only this thread's time counts, except in a search that lasts: the library times that one by the process.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def search(self, pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
        """Where the pattern is found first, or None; OverrunError when the time is used up."""
        began = thread_time()
        try:
            found = pattern.search(text, timeout=_MOMENT, concurrent=False)
        except TimeoutError:
            found = self._patiently(pattern, text)
        self._left -= thread_time() - began
        if self._left < _LEAST:
            raise OverrunError("the regular expressions take too long")
        return found

    def _patiently(self, pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
        """The same search, while others may run, for all the time that is left."""
        try:
            return pattern.search(text, timeout=self._left, concurrent=True)
        except TimeoutError as error:
            self._left = 0.0
            raise OverrunError("the regular expression takes too long") from error
