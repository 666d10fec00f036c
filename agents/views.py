"""What is left of an observation's result for a model to read, within a number of characters, and still well formed.

Nothing is said in it that the stored result does not hold, but for digits that are rounded and zones of time that are
written shorter. Of what is ordered by time the newest is kept, since that is where an incident is.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

DIGITS = 4
LEAST_CHARS = 60
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d+)?)?(?:\+00:00|Z)")
_MOMENTS = ("at", "@timestamp", "started_at", "stopped_at", "created_at")
_ID = re.compile(r"[\w.:/-]{16,}")
Place = tuple[Any, Any]


def view_of(result: Any, limit: int) -> tuple[Any, bool]:
    """Return a result within a number of characters, and whether anything was left out."""
    # In a box of its own, so that the result itself has a place in which less of it can stand.
    box, was_cut = {"": shorter(result)}, False
    while len(json.dumps(box[""], ensure_ascii=False, default=str)) > limit:
        if not (_halved_list(box) or _halved_text(box) or _without_a_name(box)):
            return json.dumps(box[""], ensure_ascii=False, default=str)[:limit], True
        was_cut = True
    return box[""], was_cut


def shorter(value: Any) -> Any:
    """Return a copy of JSON with short numbers and moments, bodies in texts as such, even steps said once, no nulls."""
    if isinstance(value, dict):
        return {key: shorter(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return _series(value) or [shorter(inner) for inner in value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _body(value) or short_moment(value)
    return value


def _number(value: float) -> float | int:
    """Return a number with four digits, and none behind the point where it has as many before it."""
    if value.is_integer():
        return int(value)
    return float(f"{value:.{DIGITS}g}") if abs(value) < 10**DIGITS else round(value)


def short_moment(text: str) -> str:
    """Return a moment in UTC without seconds that are none; any other text as it is."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    return f"{found[1]}{found[2] if found[2] and found[2] != ':00' else ''}Z"


def span(start: str, end: str) -> str:
    """Return two moments as ISO 8601 writes an interval; of the end on the same day, the time."""
    first, last = short_moment(start), short_moment(end)
    day, _, time = last.partition("T")
    return f"{first}/{time if first.startswith(day) else last}"


def _body(text: str) -> Any:
    """Return a JSON object that was written into a text, since its quotes would be escaped once more."""
    if not text.startswith("{"):
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return shorter(body) if isinstance(body, dict) else None


def _series(points: list[Any] | tuple[Any, ...]) -> dict[str, Any] | None:
    """Return pairs of moment and value with a step that is always the same, as the last moment, the step and values."""
    if len(points) < 3 or not all(_is_point(point) for point in points):
        return None
    try:
        moments = [datetime.fromisoformat(at) for at, _ in points]
    except ValueError:
        return None
    step = moments[1] - moments[0]
    if not step or any(later - earlier != step for earlier, later in pairwise(moments)):
        return None
    values = [shorter(value) for _, value in points]
    return {
        "last_at": short_moment(points[-1][0]),
        "every_seconds": round(step.total_seconds()),
        "values": values,
    }


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list | tuple)
        and len(point) == 2
        and isinstance(point[0], str)
        and isinstance(point[1], int | float)
    )


def _halved_list(box: dict[str, Any]) -> bool:
    """Leave half of the list out that takes most; say whether there was one."""
    lists = [
        (holder, key)
        for holder, key in _places(box)
        if isinstance(holder[key], list) and len(holder[key]) > 1
    ]
    if not lists:
        return False
    holder, key = max(lists, key=lambda place: len(json.dumps(place[0][place[1]], default=str)))
    entries = holder[key]
    half = len(entries) // 2
    holder[key] = entries[-half:] if _is_newest_last(entries) else entries[:half]
    return True


def _is_newest_last(entries: list[Any]) -> bool:
    """Say whether what is newest stands at the end: in series it does, elsewhere moments tell."""
    first, last = entries[0], entries[-1]
    if all(entry is None or isinstance(entry, int | float) for entry in (first, last)):
        return True
    if _is_point(first) and _is_point(last):
        return str(first[0]) < str(last[0])
    if isinstance(first, dict) and isinstance(last, dict):
        return any(str(first[key]) < str(last[key]) for key in _MOMENTS if key in first and key in last)
    return False


def _halved_text(box: dict[str, Any]) -> bool:
    """Leave half of the longest text out; say whether there was one that is long."""
    texts = [place for place in _places(box) if isinstance(place[0][place[1]], str)]
    holder, key = max(texts, key=lambda place: len(place[0][place[1]]), default=({"": ""}, ""))
    if len(holder[key]) <= LEAST_CHARS:
        return False
    holder[key] = holder[key][: len(holder[key]) // 2] + "…"
    return True


def _without_a_name(box: dict[str, Any]) -> bool:
    """Leave one thing out that has a name, deep inside first, and an id before words; say whether there was one."""
    named = [holder[key] for holder, key in _places(box) if isinstance(holder[key], dict)]
    inner = [one for one in named[1:] if len(one) > 1 and len(json.dumps(one, default=str)) > LEAST_CHARS]
    deepest = [one for one in inner if not any(other is not one and other in one.values() for other in inner)]
    chosen = max(
        deepest, key=lambda one: len(json.dumps(one, default=str)), default=named[0] if named else {}
    )
    if len(chosen) < 2:
        return False
    ids = [key for key, value in chosen.items() if isinstance(value, str) and _ID.fullmatch(value)]
    del chosen[(ids or list(chosen))[-1]]
    return True


def _places(value: Any) -> Iterator[Place]:
    """Yield whatever holds something, with where in it that stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(inner):
        yield value, key
        yield from _places(one)
