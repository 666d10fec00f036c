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

FLAG = "prompt_injection"

_MODEL = (
    r"(?:an? |the |any |all |every )?(?:ai|llms?|(?:large )?language models?|ai (?:models?|agents?|assistants?)|"
    r"triage (?:agents?|bots?)|automated (?:triage|analysis|agents?)(?: agents?)?|chat ?bots?|bot that)\b"
)
_READER = rf"(?:{_MODEL}|(?:an? |the |any |all |every )?(?:ai )?(?:assistants?|copilot)\b)"
_JUDGED = (
    r"(?:low(?:er|est)?|none|minor|noise|informational|harmless|benign|resolved|healthy|false (?:positive|alarm)"
    r"|innocent|critical|p[0-5]\b|sev ?-?[0-5])"
)
_CASE = r"(?:incident|alarm|alert|severity|priority|deployment|finding|issue)"
_SIGNS = (
    # Orders about the reader's instructions.
    r"\b(?:ignore|disregard|forget|override|bypass|discard|set aside)\b[^.\n]{0,24}"
    r"\b(?:previous|prior|preceding|above|earlier|all|any|your|other)\b[^.\n]{0,32}"
    r"\b(?:instructions?|prompts?|directions?|guidelines?|guardrails?|constraints?|commands"
    r"|(?:safety|your|previous|earlier|prior) (?:rules?|polic\w+))\b",
    r"\b(?:ignore|disregard|forget) (?:all of )?(?:the |everything )?(?:above|before this)(?: and|,|\.| text)",
    r"\bpay no attention to (?:the |any |all )?(?:other|previous|above|earlier)\b",
    r"\b(?:ignore|disregard|overrule) (?:all |any |the )?other (?:evidence|findings|observations|sources)\b",
    r"\bfrom now on,? (?:you|act|behave|answer|treat)\b",
    r"\byou are now (?:in |an? |the |root|free|allowed|authori[sz]ed)",
    r"\b(?:your|the assistant's) (?:new|real|only|actual) (?:task|job|goal|role|objective|instructions?|orders?)\b",
    r"\bnew (?:system )?(?:instructions?|prompt|orders?|policy)\s*[:,]",
    r"\b(?:reveal|print|show|repeat|output|leak)\b.{0,24}\b(?:system prompt|your (?:prompt|instructions))\b",
    # What only a conversation with a model holds.
    r"<\s*/?\s*(?:system|assistant|instructions?|observations?|alarm|evidence|untrusted)\s*>",
    r"\[/?(?:INST|SYS)\]|<\|(?:im_(?:start|end)|system|user|assistant|endoftext)\|>|<</?SYS>>",
    r"(?:^|\n)\s*#{2,4}\s*(?:system|instructions?|assistant)\s*:",
    r"\\*\"role\\*\"\s*:\s*\\*\"(?:system|assistant|developer)\\*\"",
    r"\bhuman\s*:.{1,200}\bassistant\s*:",
    r"\b(?:system|developer) (?:prompt|message|note|instruction)s?\s*:(?!\s*\d)",
    r"\bend of (?:the )?(?:log|data|input|observations?|context)s?\b.{0,40}\b(?:instructions?|now|follow)",
    r"\binstructions? (?:for|to) (?:the |any |all )?(?:model|reader|analyst|agent|ai)\b",
    # Orders that name who is meant.
    rf"\b(?:note|message|attention|hint|instructions?|memo|warning|request)\b[ :,-]{{0,3}}(?:to |for )?{_READER}",
    rf"\b(?:dear|hey|hello|hi|attention) {_READER}",
    rf"\b(?:to|for) {_READER} ?[:,]",
    rf"\b{_MODEL} (?:reading|analy[sz]ing|processing|that (?:reads?|analy[sz]es)|must|should|shall|needs? to)\b",
    r"(?:^|\s)@(?:copilot|assistant|ai|bot|claude|gpt)\b",
    r"\b(?:if|since|as) you are an? (?:ai|llm|language model|assistant|bot|model)\b",
    r"\bwhoever (?:reads|triages|analy[sz]es) this\b",
    # Orders about what is concluded, said or permitted.
    r"(?:^|[.:;,!\"'>\n-]\s{0,4}|\b(?:please|must|should|now|and|to) )"
    r"(?:set|lower|raise|mark|classify|downgrade|treat|rate|report|declare|consider) "
    rf"(?:\w+ ){{0,5}}?{_CASE}?(?: \w+){{0,4}} ?(?:to|as|is) (?:an? |the )?{_JUDGED}",
    r"\b(?:conclude|declare|claim|pretend|insist) that\b.{0,60}"
    r"\b(?:cause|healthy|nothing|noise|fine|resolved|innocent)\b",
    r"\b(?:report|answer|reply|say|respond|output) (?:that )?(?:only |all |every)?\w{0,12} ?(?:services? )?"
    r"(?:as |is |are )?(?:healthy|nothing (?:else|is wrong)|everything is)\b",
    r"\b(?:respond|reply|answer) (?:only )?(?:with|only|yes|no)\b (?:the|yes|no|only|to)\b|\bmust answer\b",
    r"\b(?:in|from) your (?:assessment|answer|analysis|response|report|verdict|conclusion|summary)\b",
    r"\b(?:confidence|cause|verdict|severity) must be\b",
    r"\b(?:do not|don't|never) (?:tell|inform|alert|page|notify)\b (?:the |any ?)?"
    r"(?:on-?call|humans?|operators?|engineers?|anyone|people|users?)",
    r"\b(?:do not|don't|never) (?:mention|cite|report|disclose|reveal|quote)\b "
    r"(?:the |this |that |any |these )?\w+(?: \w+){0,2}(?: in your|[.!]?$|\n)",
    r"\b(?:stop|skip|end|abandon) (?:the |this |your |all )?(?:investigation|analysis|triage)\b",
    r"\b(?:please|now|must|should|immediately)\b.{0,16}"
    r"\b(?:call|invoke|use|execute|run)\b (?:the )?(?:\w+ )?tool\b",
    r"\brun (?:the )?\w+ tool\b|\bexecute the following (?:action|command|tool)\b",
    r"\bapprove (?:the |this |every |any |all )?(?:pending |proposed )?"
    r"(?:plans?|changes?|actions?|rollbacks?|remediations?)\b",
    r"\bno (?:human |further |manual )(?:approval|review|confirmation)\b|\bact(?:ing)? without (?:review|approval)\b",
    r"\bapproval (?:has been|is already|was already) granted\b|\bapproved by the (?:ai|assistant|copilot)\b",
    r"\bblame (?:the |on )?\w+[.!]",
)
_FOREIGN = (
    r"\b(?:ignorier\w{0,2}|vergiss|missachte)\b.{0,32}\b(?:anweisung|vorgabe|regel|befehl|instruktion)",
    r"\b(?:setze?|stelle|ändere|senke)\b.{0,24}\b(?:schweregrad|dringlichkeit|priorität)\b.{0,12}\bauf\b",
    r"\bdu bist (?:jetzt|nun|ab sofort)\b|\bgenehmige (?:den|die|das)\b",
    r"\b(?:ignorez?|oublie[zr]?|ne tene?z? pas compte)\b.{0,32}\b(?:instruction|consigne|règle|directive)s?\b",
    r"\b(?:tu es|vous êtes) (?:maintenant|désormais)\b|\b(?:mets|mettez|définis\w*)\b.{0,16}\b(?:gravité|sévérité)\b",
    r"\b(?:ignor[ae]|olvid[ae]|descarta)\b.{0,32}\b(?:instrucciones|reglas|indicaciones)\b|\bahora eres\b",
    r"\b(?:pon|establece|marca|cambia)\b.{0,24}\b(?:gravedad|severidad|incidente como)\b",
    r"\b(?:ignore|esqueça|desconsidere)\b.{0,32}\b(?:instruções|ordens|regras)\b|\baprove o plano\b",
    r"\b(?:ignora|dimentica|trascura)\b.{0,32}\b(?:istruzioni|regole|indicazioni)\b|\bapprova il piano\b",
    r"\b(?:negeer|vergeet)\b.{0,32}\b(?:instructies|opdrachten|regels|aanwijzingen)\b",
    r"(?:игнорируй|забудь|не обращай внимания).{0,32}(?:инструкц|указани|правил|команд)",
    r"(?:忽略|无视|忘记|忽視|無視).{0,12}(?:指令|指示|说明|提示|规则|規則)|(?:严重性|严重级别|优先级).{0,6}(?:设为|设置为|改为|降)",
    r"(?:指示|命令|ルール|プロンプト|指令).{0,8}(?:無視|忘れ)",
    r"(?:지시|명령|지침|규칙).{0,8}(?:무시|잊)",
    r"(?:تجاهل|انس).{0,24}(?:التعليمات|الأوامر|القواعد)",
)
_ANY = tuple(re.compile(pattern, re.I) for pattern in (*_SIGNS, *_FOREIGN))
# Over lines that happen to stand together only what no accident makes.
_JOINED = _ANY[:2] + tuple(re.compile(pattern, re.I) for pattern in _FOREIGN)
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
    found = found or any(_matches(_JOINED, text) for text in _neighbours(list(lines.values())))
    return (FLAG,) if found else ()


def _orders(text: str, depth: int = DEPTH) -> bool:
    """Say whether a text, or what is written in it in another form, gives orders."""
    if any(_matches(_ANY, form) for form in _forms(text)) or _ROT13.search(text):
        return True
    return depth > 0 and any(_orders(inner, depth - 1) for inner in _decoded(text))


def _matches(signs: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(sign.search(text) for sign in signs)


def _forms(text: str) -> Iterator[str]:
    """Yield a text as it reads: without what hides words from a pattern."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
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
