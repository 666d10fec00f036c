"""Flag text that gives orders to whoever reads it.

Rules of the first line only: nothing rests on their being complete. Text from outside is fenced wherever a model reads
it, no model can change anything, and what a hypothesis rests on is dropped when it is flagged. So a rule looks for what
ordinary operations text does not say: not for imperatives, of which runbooks and logs are full, but for orders about
the reader's own instructions, judgement or words. `tests/tools/test_injection.py` measures it.

Text is looked at as it stands, with look-alike and invisible characters undone, as what it decodes to (base64, hex,
percent, entities, escapes, ROT13), and joined with the lines beside it.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from tools.orders import ANY, JOINED

FLAG = "prompt_injection"

# Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһ", "aeopcyxijsdh", strict=True)),
        **dict(zip("АВЕКМНОРСТХУІЈЅ", "ABEKMHOPCTXYIJS", strict=True)),
        **dict(zip("οανερικ", "oavepik", strict=True)),
        **dict(zip("ΑΒΕΗΙΚΜΝΟΡΤΥΧ", "ABEHIKMNOPTYX", strict=True)),
    }
)
_DIGITS = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(
    r"(?i)\b(?:[i1]gn[o0]r[e3]|d[i1][s5]r[e3]g[a4@]rd|f[o0]rg[e3][t7]|[o0]v[e3]rr[i1]d[e3]|[i1]n[s5$][t7]ruc[t7][i1][o0]n)"
)
# What tells one line of a log from the next: too short to hold an order, in whatever form.
_OWN = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=\w*\d)[0-9a-f]{8,23}\b|\d+")
_SPACED = re.compile(r"(?i)(?:\b[a-z] ){5,}[a-z]\b(?:  (?:[a-z] )*[a-z]\b)*")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,8192}={0,2}")
_HEX = re.compile(r"(?i)(?<![0-9a-f])(?:[0-9a-f]{2}){12,4096}(?![0-9a-f])")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_ROT13 = re.compile(
    r"(?i)\b(?:vtaber|qvfertneq|sbetrg|bireevqr)\b.{0,64}\b(?:vafgehpgvbaf?|cebzcgf?|thvqryvarf?)\b"
)
_URL_SAFE = str.maketrans("+/", "-_")
LINES_TOGETHER, LINE_CHARS = 4, 300
MOSTLY = 0.95
DEPTH = 2


def flags_of(value: Any) -> tuple[str, ...]:
    """Return the flags that the texts in a JSON value deserve: none, or that somebody gives orders in it."""
    # Lines of a log differ in numbers and ids, so each kind of line is looked at once.
    kinds = {_OWN.sub("0", text): text for text in _texts(value)}
    lines = {_OWN.sub("0", text): text for text in _values(value)}
    found = any(_orders(text) for text in kinds.values())
    found = found or any(JOINED.in_text(text) for text in _neighbours(list(lines.values())))
    return (FLAG,) if found else ()


def _orders(text: str, depth: int = DEPTH) -> bool:
    """Say whether a text, or what is written in it in another form, gives orders."""
    if any(ANY.in_text(form) for form in _forms(text)) or _ROT13.search(text):
        return True
    return depth > 0 and any(_orders(inner, depth - 1) for inner in _decoded(text))


def _forms(text: str) -> Iterator[str]:
    """Yield a text as it reads: without what hides words from a pattern."""
    shown = text if text.isascii() else _shown(text)
    yield shown
    line = " ".join(shown.split())
    if line != shown:
        yield line
    if not shown.isascii() and (latin := line.translate(_LOOKALIKES)) != line:
        yield latin
    if _SPACED.search(shown):
        yield _SPACED.sub(lambda found: re.sub(r"(?<=\S) (?=\S)", "", found[0]).replace("  ", " "), shown)
    if _MIXED.search(line):
        yield line.translate(_DIGITS)


def _shown(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def _decoded(text: str) -> Iterator[str]:
    """Yield what parts of a text decode to, where that is text."""
    if "%" in text and (plain := unquote(text.replace("+", " "))) != text:
        yield plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield plain
    if "\\u" in text:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    for found in _BASE64.finditer(text):
        # Base64's two alphabets differ in two letters, and logs leave out what fills the last four.
        letters = found[0].rstrip("=").translate(_URL_SAFE)
        yield from _text_of(base64.urlsafe_b64decode, letters + "=" * (-len(letters) % 4))
    for found in _HEX.finditer(text):
        yield from _text_of(bytes.fromhex, found[0])


def _text_of(decode: Callable[[str], bytes], part: str) -> Iterator[str]:
    """Yield what a part decodes to if that is text for the most part."""
    try:
        text = decode(part).decode()
    except (binascii.Error, ValueError):
        return
    if sum(c.isprintable() or c.isspace() for c in text) >= MOSTLY * len(text):
        yield text


def _neighbours(texts: Sequence[str]) -> Iterator[str]:
    """Yield short texts that stand together, in both directions: an order may be spread over lines of a log."""
    short = [text[:LINE_CHARS] for text in texts]
    for lines in (short, short[::-1]):
        yield "\n".join(" ".join(lines[at : at + LINES_TOGETHER]) for at in range(len(lines)))


def _values(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value without its keys, which stand between the lines of a log."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (str(key), *_texts(inner))]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return []
