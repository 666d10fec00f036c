"""Space-delimited filter patterns: `[ip, user, ..., status_code = 4* && status_code != 403, bytes > 1000]`.

An event's fields are what stands between its blanks; text in brackets or in double quotes is one field. The
event must have as many fields as the pattern names; one `...` stands for any number of them. A condition may
name its own field only.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable

from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.regexes import Regexes
from simulator.logs.patterns.values import Test, Token, compared, number_of

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<ellipsis>\.\.\.)
      | %(?P<regex>[^%]*)%
      | (?P<sign>&&|\|\||!=|<=|>=|=|<|>|,)
      | (?P<word>[^\s,&|=!<>"%\[\]]+)
    )""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORD = re.compile(r"\S+")
_CLOSING = {"[": "]", '"': '"'}
_COMPARING = ("=", "!=", "<", "<=", ">", ">=")


def parse_delimited_pattern(pattern: str, regexes: Regexes) -> Callable[[str], bool]:
    """A predicate over messages, or InvalidPatternError."""
    if not pattern.endswith("]"):
        raise InvalidPatternError("Invalid filter pattern")
    slots: list[Test | None] = [_slot(tokens, regexes) for tokens in _split(_tokens(pattern[1:-1]))]
    ellipses = [place for place, slot in enumerate(slots) if slot is None]
    if len(ellipses) > 1:
        raise InvalidPatternError("Invalid filter pattern")
    before, after = (slots[: ellipses[0]], slots[ellipses[0] + 1 :]) if ellipses else (slots, [])

    def matches(message: str) -> bool:
        fields = fields_of(message)
        if len(fields) < len(before) + len(after) or (not ellipses and len(fields) > len(before)):
            return False
        pairs = [
            *zip(before, fields, strict=False),
            *zip(after, fields[len(fields) - len(after) :], strict=True),
        ]
        return all(holds(field) for holds, field in pairs if holds is not None)

    return matches


def fields_of(message: str) -> list[str]:
    """The fields of a space-delimited event."""
    fields: list[str] = []
    position = 0
    closing = dict(_CLOSING)
    while begin := _WORD.search(message, position):
        sign = closing.get(begin[0][0])
        if sign is not None:
            end = message.find(sign, begin.start() + 1)
            if end >= 0:
                fields.append(message[begin.start() + 1 : end])
                position = end + 1
                continue
            # None is left: looking again at each opening sign would cost a whole reading each.
            del closing[begin[0][0]]
        fields.append(begin[0])
        position = begin.end()
    return fields


def _tokens(body: str) -> list[Token]:
    tokens: list[Token] = []
    position, end = 0, len(body.rstrip())
    while position < end:
        match = _TOKEN.match(body, position)
        if match is None or match.lastgroup is None:
            raise InvalidPatternError("Invalid filter pattern")
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def _split(tokens: list[Token]) -> list[list[Token]]:
    slots: list[list[Token]] = [[]]
    for token in tokens:
        if token == Token("sign", ","):
            slots.append([])
        else:
            slots[-1].append(token)
    return slots


def _slot(tokens: list[Token], regexes: Regexes) -> Test | None:
    """What the field at this place must satisfy; None for the place of `...`."""
    if [token.kind for token in tokens] == ["ellipsis"]:
        return None
    if not tokens:
        return lambda field: True
    name = _name(tokens[0])
    if len(tokens) == 1:
        return lambda field: True
    return _any_of(tokens, name, regexes)


def _any_of(tokens: list[Token], name: str, regexes: Regexes) -> Test:
    """Conditions joined by `&&`, which binds, and `||`."""
    branches: list[list[Test]] = [[]]
    rest = tokens
    while True:
        branches[-1].append(_condition(rest[:3], name, regexes))
        if len(rest) == 3:
            return lambda field: any(all(holds(field) for holds in branch) for branch in branches)
        joint, rest = rest[3], rest[4:]
        if joint not in (Token("sign", "&&"), Token("sign", "||")):
            raise InvalidPatternError("Invalid filter pattern")
        if joint.text == "||":
            branches.append([])


def _condition(tokens: list[Token], name: str, regexes: Regexes) -> Test:
    if len(tokens) != 3 or _name(tokens[0]) != name or tokens[1].text not in _COMPARING:
        raise InvalidPatternError("Invalid filter pattern")
    value = tokens[2]
    if tokens[1].kind != "sign" or value.kind not in {"word", "string", "regex"}:
        raise InvalidPatternError("Invalid filter pattern")
    holds = compared(tokens[1].text, value, regexes)
    is_numeric = value.kind == "word" and number_of(value.text) is not None

    def satisfied(field: str) -> bool:
        number = number_of(field) if is_numeric else None
        return holds(field if number is None else number)

    return satisfied


def _name(token: Token) -> str:
    if token.kind != "word" or not _NAME.fullmatch(token.text):
        raise InvalidPatternError("Invalid filter pattern")
    return token.text
