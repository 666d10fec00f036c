"""Take secrets and personal data out of text before it is stored, logged, sent or shown to a model."""

import re
from functools import partial
from typing import Any

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("aws-access-key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "private-key",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    ),
    ("token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")),
    ("token", re.compile(r"\b(?:ghp|gho|xox[abprs]|sk)[-_][A-Za-z0-9-]{16,}\b")),
    ("token", re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}")),
    (
        "secret",
        re.compile(
            r"(?i)(?P<keep>\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token|secret[_-]?access[_-]?key)"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]{4,}"
        ),
    ),
    ("secret", re.compile(r"(?<=://)[^\s/:@]{1,128}:[^\s/@]{1,256}(?=@)")),
    # Bounded lengths (RFC 5321 §4.5.3.1) keep the time linear on long lines.
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")),
)
_SECRET_NAME = re.compile(
    r"(?i)(?:password|passwd|passphrase|pwd|secret|credentials?|(?:api|access|private|signing)[_-]?key"
    r"|(?:access|auth|refresh|session|bearer)[_-]?token|authorization)$"
)
_CARD = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")


def redact(text: str) -> str:
    """Return the text with every secret and personal datum replaced by what kind it was."""
    for kind, pattern in _RULES:
        text = pattern.sub(partial(_mark, kind), text)
    return _CARD.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], text)


def redact_all(value: Any) -> Any:
    """Return JSON with every text in it redacted; keys stay as they are.

    A text under a secret's name is taken out whole, also where name and value are members of their own, as in the
    environment of a task definition.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [redact_all(inner) for inner in value]
    if isinstance(value, dict):
        named = {"value"} if _SECRET_NAME.search(str(value.get("name", ""))) else set()
        return {
            key: "[secret]"
            if isinstance(inner, str) and (key in named or _SECRET_NAME.search(str(key)))
            else redact_all(inner)
            for key, inner in value.items()
        }
    return value


def _mark(kind: str, found: re.Match[str]) -> str:
    kept = found.groupdict().get("keep") or ""
    return f"{kept}[{kind}]"


def _is_card(text: str) -> bool:
    """Apply the Luhn check (ISO/IEC 7812-1), so that ids and times of many digits stay."""
    digits = [int(c) for c in text if c.isdigit()]
    if len(digits) not in range(13, 20) or len(set(digits)) == 1:
        return False
    doubled = [d for i, d in enumerate(digits) if i % 2 == len(digits) % 2]
    rest = sum(d for i, d in enumerate(digits) if i % 2 != len(digits) % 2)
    return (rest + sum((2 * d) % 10 + (2 * d) // 10 for d in doubled)) % 10 == 0
