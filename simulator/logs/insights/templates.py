"""What `pattern` makes of messages: an approximation of AWS's clustering.

AWS finds patterns by machine learning. Here a message's variable tokens (times, ids, addresses, numbers,
words with a digit) become `<*>`, and messages with the same text left over are one pattern. Two messages that
differ in a plain word are two patterns here and may be one in AWS.
Columns: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html
"""

import re
from collections import Counter
from collections.abc import Iterable

from simulator.logs.insights.values import Value

_TOKEN = re.compile(
    r"""
      \d{4}-\d{2}-\d{2}[T\ ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?
    | \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b
    | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b
    | (?P<word>[\w-]+)(?P<rest>\.\d+)?
    """,
    re.VERBOSE,
)
_SEVERITIES = ("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")


def template(message: str) -> str:
    """The message with its variable tokens replaced by `<*>`."""
    return _TOKEN.sub(_written, message)


def _written(token: re.Match[str]) -> str:
    """A word without a digit as it stands, everything else as `<*>`."""
    word = token["word"]
    if word is None or any(sign.isdigit() for sign in word):
        return "<*>"
    return f"{word}.<*>" if token["rest"] else str(word)


def summarise(messages: Iterable[str]) -> list[dict[str, Value]]:
    """One row a pattern, the most frequent first."""
    counts = Counter(template(message) for message in messages)
    total = sum(counts.values())
    rows: list[dict[str, Value]] = []
    for pattern, count in counts.most_common():
        row: dict[str, Value] = {
            "@pattern": pattern,
            "@ratio": round(count / total, 4),
            "@sampleCount": count,
            "@severityLabel": _severity(pattern),
        }
        rows.append(row)
    return rows


def _severity(pattern: str) -> str | None:
    upper = pattern.upper()
    return next((severity for severity in _SEVERITIES if severity in upper), None)
