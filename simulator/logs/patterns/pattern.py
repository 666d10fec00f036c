"""CloudWatch Logs filter patterns, as FilterLogEvents takes them.

Understood: terms, quoted phrases, `-term`, `?term`, one `%regular expression%`, JSON patterns and
space-delimited ones. What does not parse is InvalidPatternError.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable

from simulator.logs.patterns.delimited_pattern import parse_delimited_pattern
from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.json_pattern import parse_json_pattern
from simulator.logs.patterns.regexes import Regexes

Matcher = Callable[[str], bool]
MATCHING_SECONDS = 1.0

_TERM = re.compile(r'(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')
_WORD = re.compile(r"[A-Za-z0-9_]+")
_ESCAPE = re.compile(r'\\(["\\])')


def parse_pattern(pattern: str, matching_seconds: float = MATCHING_SECONDS) -> Matcher:
    """A predicate over messages, or InvalidPatternError. An empty pattern matches every message.

    The predicate raises OverrunError once its regular expressions have used up their time.
    """
    text, regexes = pattern.strip(), Regexes(matching_seconds)
    if text.startswith("{"):
        return parse_json_pattern(text, regexes)
    if text.startswith("["):
        return parse_delimited_pattern(text, regexes)
    if text.startswith("%"):
        if len(text) < 3 or not text.endswith("%"):
            raise InvalidPatternError("Invalid filter pattern")
        return regexes.compiled(text[1:-1])
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
