"""Regular expressions of the query language, said in Python's dialect.

AWS's dialect writes named groups `(?<name>...)` and allows flags such as `(?i)` anywhere; Python does
neither. What has no sure equivalent is refused.
"""

import re
import warnings

_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def compile_regex(text: str) -> re.Pattern[str]:
    """The compiled expression, or ValueError saying why it is not understood."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(_translated(text))
        except (re.error, OverflowError, RecursionError, FutureWarning, DeprecationWarning) as error:
            raise ValueError(f"Invalid regular expression: {error}") from error


def glob_regex(glob: str) -> re.Pattern[str]:
    """The expression of a `parse` glob: each `*` captures, the last one at the end all that is left."""
    pieces = glob.split("*")
    body = "(.*?)".join(re.escape(piece) for piece in pieces[:-1])
    last = "(.*)" if pieces[-1] == "" else "(.*?)" + re.escape(pieces[-1])
    return re.compile((body + last) if len(pieces) > 1 else re.escape(glob), re.DOTALL)


def _translated(text: str) -> str:
    out: list[str] = []
    closing: list[str] = [""]
    position = 0
    while position < len(text):
        piece = _piece(text, position)
        position += len(piece)
        if flags := _FLAGS.fullmatch(piece):
            _refuse_alternatives(text[position:])
            out.append(f"(?{flags[1]}:")
            closing[-1] += ")"
        elif piece == "(?<":
            closing.append("")
            out.append("(?P<")
        elif piece == "(":
            closing.append("")
            out.append(piece)
        elif piece == ")" and len(closing) > 1:
            out.append(closing.pop() + piece)
        else:
            out.append(piece)
    return "".join(out) + "".join(reversed(closing))


def _piece(text: str, position: int) -> str:
    """The next escape, character class, flag group, group opening or single character."""
    if text[position] == "\\":
        return text[position : position + 2]
    for pattern in (_CLASS, _FLAGS, _NAMED):
        if match := pattern.match(text, position):
            return match[0]
    return text[position]


def _refuse_alternatives(rest: str) -> None:
    """Flags inside an expression reach over `|`; a wrapped group would not, so that is refused."""
    depth, position = 0, 0
    while position < len(rest) and depth >= 0:
        piece = _piece(rest, position)
        position += len(piece)
        if piece == "|" and depth == 0:
            raise re.error("flags before alternatives")
        depth += {"(": 1, ")": -1}.get(piece[:1], 0) if not _FLAGS.fullmatch(piece) else 0
