"""Tell from a name alone whether what stands under it is a secret.

Two names are judged differently. A member of JSON is a secret's where its name ends in what secrets are called, since
`secretName` and `nextToken` stand in every answer of AWS. A parameter of Systems Manager holds one value that people
named with care: there a word for a secret anywhere in the name is enough, unless the name ends in what tells of a
secret without holding it, such as `password-min-length`.
"""

import re
from collections.abc import Sequence

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# A word, or the end of one that was bound together as in DBPASSWORD.
_SECRET = re.compile(
    r"(?:password|passwd|passphrase|pwd|secret|credential|(?<![a-z])(?:cred|ssn)|(?:api|access|private|secret|signing)key"
    r"|(?:access|auth|refresh|session|bearer)token)s?$"
)
_KEYS = re.compile(
    r"api|access|private|secret|signing|encryption|account|shared|service|master|license|hmac|webhook|ssh"
)
_TOKENS = re.compile(r"access|auth|refresh|session|bearer|security")
# A pass is a password only beside what has one: there are first passes, and bypasses.
_PASSES = re.compile(
    r"db|database|admin|root|user|mysql|pg|postgres|redis|mongo|smtp|mail|ftp|ldap|mq|login|basic|auth|proxy"
    r"|keystore|truststore|master|app"
)
_PASS = re.compile(rf"(?:{_PASSES.pattern})pass$")
# What may stand behind: which of several it is.
_WHICH = re.compile(
    r"\d+|v|b64|base64|value|text|plaintext|current|previous|old|new|prod|production|staging|dev|test|live|primary"
    r"|secondary|hash|base"
)
# What a parameter's name ends in that tells of a secret and holds none.
_ABOUT = re.compile(
    r"ids?|arn|names?|path|ttl|length|age|(?:day|hour|minute|second|limit|count|bucket)s?|ms|policy|rotation|enabled"
    r"|disabled|max|min|expiry|expires|expiration|required|type|version|attempts|retries|timeout|interval|size|rate"
    r"|budget|per|used|usage|url|uri|endpoint|host|port|user|username|region|mode|period|cache"
)
_PLAIN_TOKENS = re.compile(r"max|min|next|page|client|continuation|idempotency|prompt|input|output")


def names_secret(name: str) -> bool:
    """Say whether a member of JSON or a variable of that name holds a secret: its name ends in a word for one."""
    words = _words(name)
    while len(words) > 1 and _WHICH.fullmatch(words[-1]):
        words = words[:-1]
    return _ends_in_secret(words)


def parameter_holds_secret(name: str) -> bool:
    """Say whether the name of a parameter, with its path, says that its value is a secret."""
    *folders, own = name.strip("/").split("/")
    words = _words(own)
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    if any(_ends_in_secret(words[: end + 1]) or _is_token(words[: end + 1]) for end in range(len(words))):
        return True
    return any(_ends_in_secret(_words(folder)) for folder in folders)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _ends_in_secret(words: Sequence[str]) -> bool:
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if _SECRET.search(last) or _PASS.search(last):
        return True
    kinds = {"key": _KEYS, "keys": _KEYS, "token": _TOKENS, "tokens": _TOKENS, "pass": _PASSES}
    return last in kinds and kinds[last].fullmatch(before) is not None


def _is_token(words: Sequence[str]) -> bool:
    return words[-1] == "token" and not _PLAIN_TOKENS.fullmatch(words[-2] if len(words) > 1 else "")
