"""Regular expressions of the query language, checked piece by piece.

AWS documents the common pieces of Perl's dialect and named groups `(?<name>...)`. The library that matches
knows far more (fuzzy matches, recursion, sets): what is not listed here is refused, since it may mean another
thing to AWS.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html
"""

import regex

_PIECE = regex.compile(
    r"""
      (?P<escape>\\(?:[dDwWsSbBAtnrfv1-9]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|p\{\w+\}|P\{\w+\}|[^\w\s]|\ ))
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<count>(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?)
    | (?P<opening>\((?:(?!\?)|\?(?:[:>=!]|<[=!]|<[A-Za-z_]\w*>|[ims]*-[ims]+:|[ims]+[:)])))
    | (?P<brace>[{}])
    | (?P<plain>[^\\\[(*+?{}])
    """,
    regex.VERBOSE | regex.DOTALL,
)
_ESCAPED = regex.compile(r"\\.", regex.DOTALL)
_SET_OPERATION = regex.compile(r"\[|&&|\|\||--|~~")


def compile_regex(text: str) -> regex.Pattern[str]:
    """The compiled expression, or ValueError saying why it is not understood."""
    try:
        return regex.compile("".join(_pieces(text)), regex.VERSION0)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"Invalid regular expression: {error}") from error


def glob_regex(glob: str) -> regex.Pattern[str]:
    """The expression of a `parse` glob: each `*` captures, the last one at the end all that is left.

    What stands before each literal is taken once and for all, so that no glob backtracks.
    """
    first, *others = glob.split("*")
    body = regex.escape(first)
    for place, piece in enumerate(others):
        at_the_end = place == len(others) - 1 and piece == ""
        body += "(.*)" if at_the_end else f"(?>(.*?){regex.escape(piece)})"
    return regex.compile(body, regex.DOTALL | regex.VERSION0)


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise regex.error(f"{text[position : position + 4]} is not supported")
        if piece["set"] and _SET_OPERATION.search(_ESCAPED.sub("", piece["set"][1:])):
            raise regex.error(f"{piece['set']} is not supported")
        pieces.append("\\" + piece[0] if piece["brace"] else piece[0])
        position = piece.end()
    return pieces
