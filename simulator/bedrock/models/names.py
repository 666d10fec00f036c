"""Labels as people write them, made comparable: `memberId`, `member_id` and `Member IDs` are one."""

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_BACKTICKED = re.compile(r"`([^`\n]{1,80})`")

# Words that say how a thing is written down, not which thing it is.
_SOFT = """
a an the of in on at for to by and id ids name value text key ref code arn url list current level
label kind type date time is was s string number
"""
SOFT = frozenset(_SOFT.split())


@lru_cache(maxsize=16384)
def words(label: str) -> tuple[str, ...]:
    """The words of a label in lower case and in the singular."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(label))


@lru_cache(maxsize=16384)
def key(label: str) -> str:
    """One spelling for all spellings of a label."""
    return "".join(words(label))


def said(label: str) -> str:
    """A label as it is said in a sentence."""
    return " ".join(word.lower() for word in _WORD.findall(label)) or label


def backticked(text: str) -> list[str]:
    """The names a description puts in backticks."""
    return _BACKTICKED.findall(text)


def closeness(wanted: tuple[str, ...], label: tuple[str, ...]) -> float:
    """How well a label stands for what is wanted: 1.0 same words, 0.0 something else.

    One must contain the other. In English the last word says what a thing is, so `root cause` stands
    for `cause`, and `cause reason` does not.
    """
    want, have = set(wanted), set(label)
    if not want or not have:
        return 0.0
    if want == have:
        return 1.0
    shared = want & have
    if not shared - SOFT or (shared != want and shared != have):
        return 0.0
    if shared == have and not (want - have) <= SOFT:
        return 0.0
    if shared == want and label[-1] not in want and not (have - want) <= SOFT:
        return 0.0
    return len(shared) / len(want | have)


def _singular(word: str) -> str:
    if word in ("ids", "ips"):
        return word[:-1]
    if len(word) <= 3 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith(("eses", "yses")):
        return word[:-2] + "is"
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") else word
