"""What a text reads as once what hides its words is undone: signs that are not seen, marks, other letters, encodings.

A form is made only where a text holds what it would undo, so that plain text costs no more than a look.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

# Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһ", "aeopcyxijsdh", strict=True)),
        **dict(zip("АВЕКМНОРСТХУІЈЅ", "ABEKMHOPCTXYIJS", strict=True)),
        **dict(zip("οανερικ", "oavepik", strict=True)),
        **dict(zip("ΑΒΕΗΙΚΜΝΟΡΤΥΧ", "ABEHIKMNOPTYX", strict=True)),
        **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)),
    }
)
_DIGITS = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(
    r"(?i)\b(?:[i1]gn[o0]r[e3]|d[i1][s5]r[e3]g[a4@]rd|f[o0]rg[e3][t7]|[o0]v[e3]rr[i1]d[e3]|[i1]n[s5$][t7]ruc[t7][i1][o0]n)"
)
# ECMA-48, 5.4: what steers a terminal, and the strings that it takes (8.3.89), which show nothing.
_STEERING = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,32}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|\x1b[@-Z\\^_]?"
)
_STRUCK = re.compile(r"[^\n]\x08")
# Default_Ignorable_Code_Point and blanks that are letters or symbols to Unicode (https://www.unicode.org/reports/tr44/).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BLANKS = re.compile("[\u115f\u1160\u2800\u3164\uffa0]+")
# https://www.unicode.org/charts/PDF/UE0000.pdf: letters that nobody sees, one for each of ASCII.
_TAG_LETTERS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_TURNED = re.compile("[\u202d\u202e\u2066-\u2068]")
_BACKWARDS = re.compile(r"(?i)\b(?:snoitcurtsni|tpmorp|erongi|drag?ersid|edirrevo|tegrof)\b")
_SPACED = re.compile(r"(?i)(?:\b[a-z] ){5,}[a-z]\b(?:  (?:[a-z] )*[a-z]\b)*")
_CUT_LETTERS = re.compile(r"(?i)(?<![a-z0-9])[a-z](?:[-._*|/][a-z]){3,}(?![a-z0-9])")
_MARKUP = re.compile(r"<!--.{0,400}?-->|</?[A-Za-z!][^<>]{0,120}>", re.S)
_EMPHASIS = re.compile(r"[*`~]+|(?<![^\W_])_+|_+(?![^\W_])")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()]{0,300}\)")
_BOUND = re.compile(r"(?<=[A-Za-z])[-_./+:]+(?=[A-Za-z])")
_BOUND_WORDS = re.compile(r"[A-Za-z]{2,}(?:[-_./+:]+[A-Za-z]+){2,}")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HUMPED = re.compile(r"[A-Za-z][a-z]+(?:[A-Z][a-z]+){2,}")
_STEMS = (
    "instruct",
    "prompt",
    "ignore",
    "disregard",
    "override",
    "severity",
    "approv",
    "assistant",
    "conclude",
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,8192}={0,2}")
_WRAPPED = re.compile(r"(?:[A-Za-z0-9+/_-]{16,128}(?:\\n|\s){1,3}){1,64}[A-Za-z0-9+/_-]{2,128}={0,2}")
_BASE32 = re.compile(r"(?<![A-Z2-7])[A-Z2-7]{32,8192}={0,6}(?![A-Za-z0-9])")
_HEX = re.compile(r"(?i)(?<![0-9a-f])(?:[0-9a-f]{2}){12,4096}(?![0-9a-f])")
_HEX_APART = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{2}(?:[ :,][0-9a-f]{2}){11,4095}(?![0-9a-f])")
_CODES = re.compile(
    r"(?<!\d)(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])(?:[ ,;]{1,2}(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])){11,4095}(?!\d)"
)
_BITS = re.compile(r"(?<![01])[01]{8}(?: ?[01]{8}){11,4095}(?![01])")
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_URL_SAFE = str.maketrans("+/", "-_")
_MOSTLY = 0.95


def shown(text: str) -> str:
    """Return a text as people see it: without what steers a terminal, unseen letters, and marks on letters."""
    if text.isascii() and text.isprintable():
        return text
    text = _STRUCK.sub("", _STEERING.sub("", text))
    if text.isascii():
        return "".join(c for c in text if c.isprintable() or c.isspace())
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text.translate(_TAG_LETTERS)))
    return "".join(_seen(text))


def _seen(text: str) -> Iterator[str]:
    """Leave out what is not seen, and marks over letters that carry none."""
    before = " "
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in {"Cf", "Co"} or (kind == "Cc" and not letter.isspace()):
            continue
        if kind in {"Mn", "Me"} and before.isascii():
            continue
        before = letter
        yield letter


def forms(text: str) -> Iterator[str]:
    """Yield a text as it reads: without what hides words from a pattern."""
    seen = shown(text)
    yield seen
    line = " ".join(seen.split())
    if line != seen:
        yield line
    if not text.isascii():
        yield from _foreign(text, line)
    if _SPACED.search(seen):
        yield _SPACED.sub(lambda found: re.sub(r"(?<=\S) (?=\S)", "", found[0]).replace("  ", " "), seen)
    if _CUT_LETTERS.search(line):
        yield _CUT_LETTERS.sub(lambda found: re.sub(r"[^A-Za-z]", "", found[0]), line)
    if _MIXED.search(line):
        yield line.translate(_DIGITS)
    if _BACKWARDS.search(line):
        yield line[::-1]
    yield from _unmarked(line)


def _foreign(text: str, line: str) -> Iterator[str]:
    if (latin := line.translate(_LOOKALIKES)) != line:
        yield latin
    if _BLANKS.search(text):
        yield shown(_BLANKS.sub(" ", text))
    if _TURNED.search(text):
        yield line[::-1]


def _unmarked(line: str) -> Iterator[str]:
    """Yield a line without markup, emphasis and links, and with words apart that are bound together."""
    if "<" in line and (plain := _MARKUP.sub("", line)) != line:
        yield plain
    if any(sign in line for sign in "*`~_[") and (plain := _EMPHASIS.sub("", _LINK.sub(r"\1", line))) != line:
        yield plain
    # Names of classes and files are full of such words: only those that orders are made of are looked into.
    low = line.lower()
    if any(word in low for word in _STEMS):
        if _BOUND_WORDS.search(line):
            yield _BOUND.sub(" ", line)
        if _HUMPED.search(line):
            yield _HUMPS.sub(" ", line)


def decoded(text: str) -> Iterator[str]:
    """Yield what parts of a text decode to, where that is text."""
    if "%" in text and (plain := unquote(text.replace("+", " "))) != text:
        yield plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield plain
    if "\\u" in text or "\\x" in text:
        yield _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    for found in _BASE64.finditer(text):
        yield from _of_base64(found[0])
    for found in _WRAPPED.finditer(text):
        yield from _of_base64(re.sub(r"\\n|\s", "", found[0]))
    for found in _BASE32.finditer(text):
        letters = found[0].rstrip("=")
        yield from _text_of(base64.b32decode, letters + "=" * (-len(letters) % 8))
    yield from _of_codes(text)


def _of_base64(part: str) -> Iterator[str]:
    # Base64's two alphabets differ in two letters, and logs leave out what fills the last four.
    letters = part.rstrip("=").translate(_URL_SAFE)
    yield from _text_of(base64.urlsafe_b64decode, letters + "=" * (-len(letters) % 4))


def _of_codes(text: str) -> Iterator[str]:
    """Yield what stands in numbers: of sixteen, ten and two digits."""
    for found in _HEX.finditer(text):
        yield from _text_of(bytes.fromhex, found[0])
    for found in _HEX_APART.finditer(text):
        yield from _text_of(bytes.fromhex, re.sub(r"[ :,]", "", found[0]))
    for found in _CODES.finditer(text):
        yield "".join(chr(int(code)) for code in re.findall(r"\d+", found[0]))
    for found in _BITS.finditer(text):
        bits = found[0].replace(" ", "")
        yield from _text_of(
            lambda part: bytes(int(part[at : at + 8], 2) for at in range(0, len(part), 8)), bits
        )


def _text_of(decode: Callable[[str], bytes], part: str) -> Iterator[str]:
    """Yield what a part decodes to if that is text for the most part, in UTF-8 or UTF-16."""
    try:
        content = decode(part)
        text = content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-8")
    except (binascii.Error, ValueError):
        return
    if sum(c.isprintable() or c.isspace() for c in text) >= _MOSTLY * len(text):
        yield text
