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

from tools.secret_names import names_secret, parameter_holds_secret
from tools.secret_rules import ORDINARY, PLACEHOLDER, SECRET_OPTION, ibans, is_iban, rules

TAG_DIGITS = 4
_HEADER = re.compile(r"(?i)(?:^|[^a-z])(?:authorization|(?:set-)?cookie)$")
# Under which members a name and its value stand apart, as in the environment of a task definition and in tags.
_NAMES = re.compile(r"(?i)(?:parameter|option)?_?(?:name|key|field|k)")
_VALUES = re.compile(r"(?i)(?:parameter|option)?_?values?|v")
# A secret's name only where a value stands beside it, or where a text stands under it: `pass` counts tests as well.
_NAMED = re.compile(r"(?i)token|pass")
_COUNTED = re.compile(r"\d+(?:[.,/]\d+)*\s?%?")
# What tells of a secret beside it, such as where it is kept.
_BESIDE = re.compile(r"(?i)(?:.*(?:name|arn|id|type|version|from|date|time|expiration|at))")
_DONE = re.compile(PLACEHOLDER)
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
        for kind, pattern in rules():
            text = pattern.sub(partial(self._mark, kind), text)
        text = _BARE_KEY.sub(lambda found: self._if(_is_key(found[0]), "secret", found[0]), text)
        text = ibans().sub(lambda found: self._if(is_iban(found[0]), "iban", found[0]), text)
        text = _CARD.sub(lambda found: self._if(_is_card(found[0]), "card", found[0]), text)
        text = _PHONE.sub(lambda found: self._if(_is_phone(found[0]), "phone", found[0]), text)
        if self.client_addresses:
            text = _ADDRESS.sub(lambda found: self._if(_is_public(found[0]), "address", found[0]), text)
        return text

    def all(self, value: Any) -> Any:
        """Return JSON with every text in it redacted, keys too: people write into the keys of tags and dimensions.

        What stands under a secret's name is taken out whole, also where name and value are members of their own, as in
        the environment of a task definition, or words of a command.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            before = (None, *value)
            return [self._word(inner, last) for inner, last in zip(value, before, strict=False)]
        return self._members(value) if isinstance(value, dict) else value

    def _word(self, word: Any, before: Any) -> Any:
        """Return one of a list redacted; in a command a secret follows its option."""
        is_option = isinstance(before, str) and SECRET_OPTION.fullmatch(before)
        return self._whole(word) if is_option and isinstance(word, str) else self.all(word)

    def _members(self, members: dict[Any, Any]) -> dict[Any, Any]:
        is_named = any(_NAMES.fullmatch(str(key)) and _names_value(name) for key, name in members.items())
        found: dict[Any, Any] = {}
        for key, inner in members.items():
            if self.stays is not None and self.stays(str(key), inner):
                found[key] = inner
                continue
            hidden = _is_secret(key) or _is_pass(key, inner) or (is_named and _VALUES.fullmatch(str(key)))
            found[self._key(key, found)] = self._hidden(key, inner) if hidden else self.all(inner)
        return found

    def _hidden(self, key: Any, value: Any) -> Any:
        """Return what stands under a secret's name: no text or number of it, but where it is kept."""
        if isinstance(value, str):
            return self._whole(value)
        if isinstance(value, dict):
            found: dict[Any, Any] = {}
            for inner_key, inner in value.items():
                beside = _BESIDE.fullmatch(str(inner_key)) and not _is_secret(inner_key)
                shown = self._key(inner_key, found)
                found[shown] = self.all(inner) if beside else self._hidden(inner_key, inner)
            return found
        if isinstance(value, list | tuple):
            return [self._hidden("", inner) for inner in value]
        is_count = isinstance(value, bool) or value is None or str(key).endswith("s")
        return value if is_count else self._placeholder("secret", str(value))

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
        stays = not text or _DONE.fullmatch(text) or ORDINARY.fullmatch(text)
        return text if stays else self._placeholder("secret", text)

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
_KINDS = "private-key|aws-access-key|token|secret|email|card|phone|address|ssn|iban"
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


def _is_secret(name: Any) -> bool:
    """Say whether a name is a secret's: of a member, a header, a variable or, with its path, a parameter."""
    if not isinstance(name, str):
        return False
    name = _TAKEN_OUT.sub("", name)
    is_path = name.startswith("/")
    return bool(_HEADER.search(name)) or (parameter_holds_secret(name) if is_path else names_secret(name))


def _names_value(name: Any) -> bool:
    """Say whether a name that has its value beside it is a secret's: nobody counts under such a name."""
    return _is_secret(name) or (isinstance(name, str) and _NAMED.fullmatch(name) is not None)


def _is_pass(name: Any, value: Any) -> bool:
    """Say whether a text under `pass` is a password, and neither a count nor a share of tests."""
    is_text = isinstance(value, str) and not _COUNTED.fullmatch(value)
    return is_text and str(name).lower() == "pass"


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
