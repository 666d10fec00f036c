"""The plainest text that a regular expression allows.

Read here: literals, escapes, classes, groups, alternatives, anchors and counts. What else a pattern may
say (looking around, references, conditions, flags) is refused by name, never guessed at.
"""

import re
from collections.abc import Iterator

from simulator.bedrock.models.schema import unsupported

_PLAIN = "x0-_. X/:"
_LONGEST = 10_000
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_CATEGORY = {"d": "0", "w": "x", "s": " ", "D": "x", "W": "-", "S": "x"}
_COUNT = re.compile(r"(?:(?P<sign>[*+?])|\{(?P<least>\d*)(?P<range>,\d*)?\})[?+]?")
_CODE = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})")
_OPENING = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")


def plainest(pattern: str, least: int = 0) -> str:
    """A text of at least `least` characters in which the pattern is found."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise unsupported(f"the pattern is not a regular expression ({error})") from error
    text = _Pattern(pattern).any_of()
    text += "x" * (least - len(text))
    if re.search(pattern, text) is None:
        raise unsupported("no plain text satisfies its pattern")
    return text


class _Pattern:
    """A pattern that `re` has accepted, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def any_of(self) -> str:
        """The first alternative's text; the others are read past."""
        first = self._sequence()
        while self._take("|"):
            self._sequence()
        return first

    def _sequence(self) -> str:
        made = ""
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            made += self._counted(self._one())
            if len(made) > _LONGEST:
                raise unsupported(f"its pattern wants more than {_LONGEST} characters")
        return made

    def _counted(self, one: str) -> str:
        count = _COUNT.match(self._text, self._at)
        # `{}` stands for itself, as in `re`.
        if count is None or count[0].startswith("{}"):
            return one
        self._at = count.end()
        least = (1 if count["sign"] == "+" else 0) if count["sign"] else int((count["least"] or "0")[:9])
        if least * len(one) > _LONGEST:
            raise unsupported(f"its pattern wants more than {_LONGEST} characters")
        return one * least

    def _one(self) -> str:
        sign = self._next()
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escape(within_class=False)
        if sign in "^$":
            return ""
        return "x" if sign == "." else sign

    def _group(self) -> str:
        opening = _OPENING.match(self._text, self._at - 1)
        if opening is None:
            raise unsupported(f"its pattern uses {self._text[self._at - 1 : self._at + 2]}")
        self._at = opening.end()
        inner = self.any_of()
        self._take(")")
        return inner

    def _escape(self, within_class: bool) -> str:
        sign = self._next()
        if code := _CODE.match(self._text, self._at - 1):
            self._at = code.end()
            return chr(int(code[1] or code[2] or code[3], 16))
        if sign in _CATEGORY:
            return _CATEGORY[sign]
        if within_class and sign == "b":
            return "\b"
        if sign in "AbBZ":
            return ""
        if sign in _CONTROL:
            return _CONTROL[sign]
        if sign.isascii() and sign.isalnum():
            raise unsupported(f"its pattern uses \\{sign}")
        return sign

    def _class(self) -> str:
        begin = self._at
        negated = self._take("^")
        members = list(self._members())
        if not negated:
            return members[0]
        allowed = re.compile("[" + self._text[begin : self._at])
        plain = next((sign for sign in _PLAIN if allowed.fullmatch(sign)), None)
        if plain is None:
            raise unsupported("no plain text satisfies its pattern")
        return plain

    def _members(self) -> Iterator[str]:
        """The class's members, each by one text; of a range its beginning."""
        first = True
        while first or self._text[self._at] != "]":
            first = False
            sign = self._next()
            yield self._escape(within_class=True) if sign == "\\" else sign
        self._at += 1

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, sign: str) -> bool:
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True
