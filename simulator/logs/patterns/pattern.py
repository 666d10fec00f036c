"""CloudWatch Logs filter patterns, as FilterLogEvents takes them.

Understood: terms, quoted phrases, `-term`, `?term` and JSON patterns. A pattern of another kind
(space-delimited `[a, b]`, `%regular expression%`) or one that does not parse is InvalidPatternError.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable

from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.json_pattern import parse_json_pattern

Matcher = Callable[[str], bool]

_TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')
_WORD = re.compile(r"[A-Za-z0-9_]+")
_ESCAPE = re.compile(r'\\(["\\])')


def parse_pattern(pattern: str) -> Matcher:
    """A predicate over messages, or InvalidPatternError. An empty pattern matches every message."""
    text = pattern.strip()
    if text.startswith("{"):
        return parse_json_pattern(text)
    if text.startswith(("[", "%")):
        raise InvalidPatternError("Invalid filter pattern")
    return _terms(text)


def _terms(text: str) -> Matcher:
    wanted: list[str] = []
    unwanted: list[str] = []
    optional: list[str] = []
    lists = {"": wanted, "-": unwanted, "?": optional}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise InvalidPatternError("Invalid filter pattern")
        lists[match["sign"]].append(_term_text(match))
        position = match.end()
        position += len(text[position:]) - len(text[position:].lstrip())
    if wanted or unwanted:
        # AWS ignores `?` terms that stand beside other terms.
        return lambda message: (
            all(term in message for term in wanted) and not any(term in message for term in unwanted)
        )
    return lambda message: not optional or any(term in message for term in optional)


def _term_text(match: re.Match[str]) -> str:
    phrase, word = match["phrase"], match["word"]
    if phrase is not None:
        return _ESCAPE.sub(r"\1", phrase)
    if not _WORD.fullmatch(word):
        raise InvalidPatternError(f"Invalid character(s) in term '{word}'")
    return str(word)
