"""Regular expressions inside filter patterns: `%...%`, in the small dialect that AWS takes.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
"""

from collections.abc import Callable

import regex

from simulator.logs.matching import Allowance
from simulator.logs.patterns.errors import InvalidPatternError

_MOST = 2
_DIALECT = regex.compile(
    r"""(?:
      \\(?:[dDsSwW]|x[0-9a-fA-F]{2}|[\^$?\[\]{}|\\*+.])
    | \[\^?(?:\\[dDsSwW\^$?\[\]{}|\\*+.\-]|[A-Za-z0-9:_\#=@/;,\-^$?{}|*+.])+\]
    | [A-Za-z0-9:_\#=@/;,\-^$|.]
    | (?<=[^*+?|^]) (?:[*+?]|\{\d+(?:,\d*)?\}) (?![*+?{])
    )+""",
    regex.VERBOSE | regex.ASCII,
)


class Regexes:
    """The regular expressions of one pattern, of which there may be two, and the time they have in all."""

    def __init__(self, seconds: float) -> None:
        self._allowance = Allowance(seconds)
        self._count = 0

    def compiled(self, text: str) -> Callable[[str], bool]:
        """A predicate over texts for what stands between the percent signs, or InvalidPatternError."""
        self._count += 1
        if self._count > _MOST:
            raise InvalidPatternError(f"A filter pattern takes {_MOST} regular expressions at most")
        if not _DIALECT.fullmatch(text):
            raise InvalidPatternError("Invalid regular expression in filter pattern")
        try:
            pattern = regex.compile(text, regex.VERSION0 | regex.ASCII)
        except regex.error as error:
            raise InvalidPatternError(f"Invalid regular expression in filter pattern: {error}") from error
        return lambda found: self._allowance.search(pattern, found) is not None
