"""Take secrets and personal data out of text before it is stored, logged, sent or shown to a model.

Patterns of our own with checks (Luhn, the numbering plans of `phonenumbers`, `ipaddress`): of the libraries that were
tried on operations text, those that know secrets change account ids and plain words, and those that leave these alone
know no secrets. docs/dependencies.md has the comparison.

A placeholder says what kind of thing stood there. With a salt it also carries four digits that are the same for the
same thing and salt, so that within an incident one sees that two lines tell of the same key or person; without the salt
the digits cannot be held against guesses.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

TAG_DIGITS = 4
_KEY_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|client[_-]?secret"
    r"|(?:api|access|private|signing|account|encryption|shared[_-]?access)[_-]?key"
    r"|(?:access|auth|refresh|session|bearer|id|security|csrf)[_-]?token"
)
_PLACEHOLDER = r"\[[a-z-]+(?:#[0-9a-f]{4})?\]"
# Within a name in camel case.
_CAPITAL_NAMES = (
    r"Pass(?:word|wd|phrase)|Secret|(?:Api|Access|Private|Secret)Key|(?:Access|Auth|Session)Token"
)
# A value in quotes, also in JSON within JSON, else up to what ends a word.
_VALUE = r"(?:\"(?:[^\"\\]|\\.)+|\\+\"[^\"\\]+|'[^']+|[^\s\"',;&<>\\}\]]{4,})"
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, flags))
    for kind, pattern, flags in (
        (
            "private-key",
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.S,
        ),
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
        ("aws-access-key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])", 0),
        ("token", r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", 0),
        (
            "token",
            r"(?<![\w-])(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|sk_live_|rk_live_|npm_|pypi-|hf_|AIza|SG\.)"
            r"[A-Za-z0-9_.-]{16,}",
            0,
        ),
        ("token", r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}", 0),
        ("secret", r"(?i)(?<=basic )[A-Za-z0-9+/]{8,}={0,2}(?![\w+/])", 0),
        ("token", r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}", 0),
        ("secret", r"(?i)(?P<keep>x-amz-(?:signature|security-token|credential)=)[^\s&\"'<>]+", 0),
        # RFC 3986 §3.2.1; the user may be missing, as in redis://:secret@host.
        ("secret", r"(?<=://)[^\s/:@\"']{0,128}:[^\s/@\"']{1,256}(?=@)", 0),
        (
            "secret",
            rf"(?i)(?P<keep>(?:(?<![A-Za-z:])(?:{_KEY_NAMES})|(?<=[a-z])(?-i:{_CAPITAL_NAMES}))"
            rf"\\*[\"']?\s{{0,4}}[=:]\s{{0,4}})(?!\\*[\"']?(?:arn:|{_PLACEHOLDER})){_VALUE}",
            0,
        ),
        (
            "token",
            r"(?i)(?P<keep>(?<![\w-])token\\*[\"']?\s{0,4}[=:]\s{0,4}\\*[\"']?)(?=[\w.-]*\d)[\w.~+/=-]{12,}",
            0,
        ),
        # Bounded lengths (RFC 5321 §4.5.3.1) keep the time linear on long lines.
        ("email", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b", 0),
    )
)
_SECRET_NAME = re.compile(
    r"(?i)(?:password|passwd|passphrase|pwd|secret|credentials?|(?:api|access|private|signing)[_-]?key"
    r"|(?:access|auth|refresh|session|bearer)[_-]?token|authorization)$"
)
_DONE = re.compile(_PLACEHOLDER)
_BARE_KEY = re.compile(r"(?<![A-Za-z0-9/+_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
_CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])")
# ISO/IEC 7812: what issuers of payment cards begin their numbers with, and how long those are.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_PHONE = re.compile(r"(?<![\w.+:/-])(?:\+\d|\(\d{3}\) ?\d|\d{3}[-. ]\d{3}[-. ]\d)[\d ().-]{2,18}\d(?![\w-])")
# RFC 1918, 6598, 1122, 3927, 4193, 4291: addresses inside of networks, which are no client's.
_OWN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "0.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::/127",
    )
)
_ADDRESS = re.compile(
    r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-f:]*::?[0-9a-f])[0-9a-f:]{3,39})(?![\w:-]|\.\d)", re.I
)


@dataclass(frozen=True)
class Redactor:
    """Redacts for one incident.

    `salt` gives the incident's own, when something is first found; without one, placeholders tell kinds only.
    `client_addresses` takes out public IP addresses too; private ones are the account's own and stay. `stays` says
    which members of JSON are left as they are.
    """

    salt: Callable[[], bytes] | None = None
    client_addresses: bool = False
    stays: Callable[[str, Any], bool] | None = field(default=None, compare=False, repr=False)
    _tags: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)
    _keys: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def text(self, text: str) -> str:
        """Return the text with every secret and personal datum replaced by a placeholder."""
        for kind, pattern in _RULES:
            text = pattern.sub(partial(self._mark, kind), text)
        text = _BARE_KEY.sub(lambda found: self._if(_is_key(found[0]), "secret", found[0]), text)
        text = _CARD.sub(lambda found: self._if(_is_card(found[0]), "card", found[0]), text)
        text = _PHONE.sub(lambda found: self._if(_is_phone(found[0]), "phone", found[0]), text)
        if self.client_addresses:
            text = _ADDRESS.sub(lambda found: self._if(_is_public(found[0]), "address", found[0]), text)
        return text

    def all(self, value: Any) -> Any:
        """Return JSON with every text in it redacted, keys too: people write into the keys of tags and dimensions.

        A text under a secret's name is taken out whole, also where name and value are members of their own, as in the
        environment of a task definition.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.all(inner) for inner in value]
        if isinstance(value, dict):
            named = {"value"} if _SECRET_NAME.search(str(value.get("name", ""))) else set()
            found: dict[Any, Any] = {}
            for key, inner in value.items():
                if self.stays is not None and self.stays(str(key), inner):
                    found[key] = inner
                    continue
                secret = isinstance(inner, str) and (key in named or _SECRET_NAME.search(str(key)))
                found[self._key(key, found)] = self._whole(inner) if secret else self.all(inner)
            return found
        return value

    def _key(self, key: Any, taken: dict[Any, Any]) -> Any:
        """Return a key redacted; two that become the same are numbered, so that none is lost."""
        if not isinstance(key, str):
            return key
        if key not in self._keys:
            self._keys[key] = self.text(key)
        shown, number = self._keys[key], 1
        while shown in taken:
            number += 1
            shown = f"{self._keys[key]} {number}"
        return shown

    def _whole(self, text: str) -> str:
        return text if _DONE.fullmatch(text) or not text else self._placeholder("secret", text)

    def _if(self, is_one: bool, kind: str, text: str) -> str:
        return self._placeholder(kind, text) if is_one else text

    def _mark(self, kind: str, found: re.Match[str]) -> str:
        kept = found.groupdict().get("keep") or ""
        rest = found[0][len(kept) :]
        bare = rest.lstrip("\\\"'")
        return f"{kept}{rest[: len(rest) - len(bare)]}{self._placeholder(kind, bare)}"

    def _placeholder(self, kind: str, text: str) -> str:
        if self.salt is None:
            return f"[{kind}]"
        tag = self._tags.get((kind, text))
        if tag is None:
            tag = hmac.new(self.salt(), f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()[:TAG_DIGITS]
            self._tags[kind, text] = tag
        return f"[{kind}#{tag}]"


_PLAIN = Redactor()
# What a placeholder may stand for; other words in brackets are somebody's own.
_KINDS = "private-key|aws-access-key|token|secret|email|card|phone|address"
_TAKEN_OUT = re.compile(rf"\[(?:{_KINDS})(?:#[0-9a-f]{{{TAG_DIGITS}}})?\]")


def redact(text: str) -> str:
    """Return the text with every secret and personal datum replaced by what kind it was."""
    return _PLAIN.text(text)


def redact_all(value: Any) -> Any:
    """Return JSON with every text in it redacted, as `Redactor.all` does without a salt."""
    return _PLAIN.all(value)


def is_redacted(text: str) -> bool:
    """Say whether something was taken out of a text, so that it is no longer the name of what it named."""
    return _TAKEN_OUT.search(text) is not None


def _is_key(text: str) -> bool:
    """Say whether forty characters look drawn at random, as AWS's secret keys are, and not like a path or a digest."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(sum(map(kind, text)) >= 3 for kind in kinds) and len(set(text)) >= 20


def _is_card(text: str) -> bool:
    """Apply an issuer's numbering and the Luhn check (ISO/IEC 7812-1), so that ids and times of many digits stay."""
    number = "".join(c for c in text if c.isdigit())
    if not _ISSUERS.fullmatch(number) or len(set(number)) == 1:
        return False
    digits = [int(c) for c in number]
    doubled = [d for i, d in enumerate(digits) if i % 2 == len(digits) % 2]
    rest = sum(d for i, d in enumerate(digits) if i % 2 != len(digits) % 2)
    return (rest + sum((2 * d) % 10 + (2 * d) // 10 for d in doubled)) % 10 == 0


def _is_phone(text: str) -> bool:
    """Ask the numbering plans; a number without its country is read as one of North America."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, "US"))
    except phonenumbers.NumberParseException:
        return False


def _is_public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address in network for network in _OWN if network.version == address.version)
