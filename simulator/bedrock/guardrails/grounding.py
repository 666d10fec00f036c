"""Whether the hard words of an answer stand in its sources.

Numbers, identifiers, acronyms and quoted words must stand in a grounding source as they are. What
is said about them is not judged.
"""

import re
from collections.abc import Sequence

_LITERAL = re.compile(
    r"`([^`\n]{2,80})`"
    r"|\"([^\"\n]{2,80})\""
    r"|(?<![\w.])([A-Za-z]*[\w:/-]*\d[\w:/.-]*\w|\d)(?![\w])"
    r"|\b([A-Z][A-Z0-9]{1,})\b"
    r"|\b([a-z0-9]+(?:[-_][a-z0-9]+)+)\b"
)


def literals(text: str) -> list[str]:
    """The hard words of a text, each once."""
    found = ["".join(filter(None, match.groups())).rstrip(".,:;") for match in _LITERAL.finditer(text)]
    return list(dict.fromkeys(word for word in found if word))


def grounding_score(answer: str, sources: Sequence[str]) -> float:
    """The share of the answer's hard words found in the sources; 1.0 if it has none."""
    wanted = literals(answer)
    if not wanted:
        return 1.0
    place = "\n".join(sources).lower()
    found = sum(_stands(word.lower(), place) for word in wanted)
    return round(found / len(wanted), 3)


def _stands(word: str, place: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", place) is not None
