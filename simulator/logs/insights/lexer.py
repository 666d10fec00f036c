"""Tokens of a query, one at a time: only the parser knows whether `/` divides or opens an expression."""

import re
from dataclasses import dataclass
from enum import StrEnum

from simulator.logs.insights.errors import MalformedQuery


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    NUMBER = "number"
    PERIOD = "period"
    STRING = "string"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True)
class Token:
    """A piece of the query at [start, end)."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The token's text where it may be a keyword, in lower case; quoted text is none."""
        return self.text.lower() if self.kind in {Kind.NAME, Kind.SYMBOL} else ""


_SKIP = re.compile(r"(?:\s+|#[^\n]*)*")
_TOKEN = re.compile(
    r"""
      (?P<name>(?:`[^`]+`|@{0,2}[A-Za-z_]\w*)(?:\.(?:`[^`]+`|[\w@]+))*)
    | (?P<period>\d+[A-Za-z]+(?![\w.]))
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?![\w.]))
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<symbol>!=|<=|>=|=~|[|,()\[\]=<>+\-*/^%])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)+)/", re.DOTALL)
_WORD = re.compile(r"\S+")


def unexpected(query: str, start: int, end: int) -> MalformedQuery:
    """AWS's wording for a symbol that has no place where it stands."""
    line = query.count("\n", 0, start) + 1
    position = start - (query.rfind("\n", 0, start) + 1) + 1
    text = query[start:end] or "<EOF>"
    message = f"unexpected symbol found {text} at line {line} and position {position}"
    return MalformedQuery(message, start, end)


def token_at(query: str, position: int) -> Token:
    """The token at or after `position`, past blanks and comments."""
    skipped = _SKIP.match(query, position)
    start = skipped.end() if skipped else position
    if start >= len(query):
        return Token(Kind.END, "", len(query), len(query))
    match = _TOKEN.match(query, start)
    if match is None or match.lastgroup is None:
        word = _WORD.match(query, start)
        raise unexpected(query, start, word.end() if word else start + 1)
    return Token(Kind(match.lastgroup), match[0], start, match.end())


def regex_at(query: str, token: Token) -> Token:
    """The regular expression that opens with this `/`; its text is what stands between the slashes."""
    match = _REGEX.match(query, token.start)
    if match is None:
        raise unexpected(query, token.start, len(query))
    return Token(Kind.STRING, match[1], token.start, match.end())


def unquoted(text: str) -> str:
    """What a quoted string says: a backslash frees a quote or a backslash and is itself otherwise."""
    quote = text[0]
    return re.sub(rf"\\([{quote}\\])", r"\1", text[1:-1])
