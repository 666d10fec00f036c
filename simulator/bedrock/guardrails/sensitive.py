"""Finds personal data and secrets by their form, and by check digits where they have them.

The types are those of Bedrock Guardrails that a form can tell; names, addresses and ages need a
reader of language and are not among them:
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-sensitive-filters.html
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One piece of sensitive text and where it stands."""

    type: str
    begin: int
    end: int
    match: str
    confidence: float


def _luhn(text: str) -> bool:
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _phone(text: str) -> bool:
    return 10 <= sum(sign.isdigit() for sign in text) <= 15


def _always(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True)
class _Form:
    """A pattern (its last group, if any, is the secret itself), a check, and how sure both make."""

    pattern: re.Pattern[str]
    check: Callable[[str], bool] = _always
    confidence: float = 0.9


# Earlier types win where two claim the same characters.
_FORMS: dict[str, _Form] = {
    "AWS_ACCESS_KEY": _Form(re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"), confidence=0.99),
    "AWS_SECRET_KEY": _Form(
        re.compile(r"(?i)secret[\w\s-]{0,24}?[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])")
    ),
    "PASSWORD": _Form(re.compile(r"(?i)\b(?:password|passwd|pwd)[\"']?\s*[:=]\s*[\"']?([^\s\"',;&]{4,})")),
    "EMAIL": _Form(re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")),
    "URL": _Form(re.compile(r"\bhttps?://[^\s\"'<>]+")),
    "CREDIT_DEBIT_CARD_NUMBER": _Form(re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])"), _luhn),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": _Form(
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), _iban, 0.95
    ),
    "US_SOCIAL_SECURITY_NUMBER": _Form(
        re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
    ),
    "UK_NATIONAL_INSURANCE_NUMBER": _Form(re.compile(r"\b[A-CEGHJ-PR-TW-Z]{2} ?(?:\d{2} ?){3}[A-D]\b")),
    "MAC_ADDRESS": _Form(re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:])")),
    "IP_ADDRESS": _Form(
        re.compile(
            r"(?<![\w.:/-])(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4})(?![\w.:])"
        ),
        _address,
        0.8,
    ),
    "PHONE": _Form(
        re.compile(
            r"(?<![\w.-])(?:\+\d{1,3}[ -]?\d{1,4}(?:[ -]\d{2,4}){2,4}|\+\d{10,15}"
            r"|\(?\d{3}\)?[ -]\d{3}-\d{4})(?![\w-])"
        ),
        _phone,
        0.8,
    ),
}
DETECTED_TYPES = frozenset(_FORMS)


def findings(text: str, types: Iterable[str]) -> list[Finding]:
    """What of the wanted types a text holds, in the order of the text, without overlaps."""
    wanted = set(types)
    kept: list[Finding] = []
    for name, form in _FORMS.items():
        if name not in wanted:
            continue
        for match in form.pattern.finditer(text):
            group = match.re.groups
            begin, end = match.span(group)
            free = all(end <= other.begin or begin >= other.end for other in kept)
            if free and form.check(match.group(group)):
                kept.append(Finding(name, begin, end, match.group(group), form.confidence))
    return sorted(kept, key=lambda finding: finding.begin)
