"""What a model is shown of a result: within its limit, well formed, the newest of series."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.forms import told_schema
from agents.views import short_moment, shorter, span, view_of
from tools.catalogue import OBSERVE

START = datetime(2026, 11, 29, 3, tzinfo=UTC)
POINTS = [[(START + timedelta(minutes=n)).isoformat(), float(n)] for n in range(180)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=30,
)


@given(JSON, st.integers(40, 2000))
def test_any_result_is_shown_within_its_limit(result: Any, limit: int) -> None:
    before = json.dumps(result)
    shown, was_cut = view_of(result, limit)
    assert len(json.dumps(shown, ensure_ascii=False)) <= limit or (was_cut and isinstance(shown, str))
    assert json.dumps(result) == before


def test_of_series_the_newest_values_are_shown_and_their_moments_can_be_told() -> None:
    shown, was_cut = view_of({"points": POINTS, "latest": 179.0}, 300)
    assert was_cut
    assert shown["points"]["last_at"] == "2026-11-29T05:59Z"
    assert shown["points"]["every_seconds"] == 60
    values = shown["points"]["values"]
    assert values == list(range(180 - len(values), 180))
    kept, _ = view_of({"until": "2026-11-29T06:00:00+00:00", "errors": [float(n) for n in range(180)]}, 200)
    assert kept["errors"][-1] == 179


def test_a_series_with_a_gap_keeps_the_moment_of_each_point() -> None:
    with_gap = [*POINTS[:5], *POINTS[8:10]]
    shown, _ = view_of({"points": with_gap}, 2000)
    assert shown["points"][4:6] == [["2026-11-29T03:04Z", 4], ["2026-11-29T03:08Z", 8]]


def test_rows_newest_first_lose_their_end_and_ids_go_before_words() -> None:
    said = {"level": "error", "msg": "checkout failed: no such coupon", "request_id": "f" * 32}
    rows = [{"@timestamp": f"2026-11-29 03:0{9 - n}:00", "@message": json.dumps(said)} for n in range(9)]
    shown, was_cut = view_of({"records_matched": 9, "rows": rows}, 150)
    assert was_cut
    assert shown["rows"] == [
        {"@timestamp": "2026-11-29 03:09:00", "@message": {"level": "error", "msg": said["msg"]}}
    ]


@pytest.mark.parametrize(
    ("told", "short"),
    [
        (26.833333, 26.83),
        (139.0, 139),
        (0.00012345, 0.0001234),
        (1.40179e10, 14017900000),
        (123456.7, 123457),
        ("2026-11-29T03:03:00+00:00", "2026-11-29T03:03Z"),
        ("2026-11-29T03:03:05.120+00:00", "2026-11-29T03:03:05.120Z"),
        ("at 2026-11-29T03:03:00+00:00", "at 2026-11-29T03:03:00+00:00"),
        ({"failed": None, "n": 1}, {"n": 1}),
        ([None, 1.0], [None, 1]),
    ],
)
def test_numbers_and_moments_are_written_short(told: Any, short: Any) -> None:
    assert shorter(told) == short


def test_a_window_says_its_day_once() -> None:
    assert span("2026-11-29T00:08:00+00:00", "2026-11-29T03:08:00+00:00") == "2026-11-29T00:08Z/03:08Z"
    assert (
        span("2026-11-22T03:08:00+00:00", "2026-11-29T03:08:00+00:00")
        == "2026-11-22T03:08Z/2026-11-29T03:08Z"
    )


@given(st.datetimes())
def test_a_short_moment_is_the_same_moment(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    assert datetime.fromisoformat(short_moment(at.isoformat())) == at


def test_what_a_model_may_ask_is_told_with_its_kinds_and_without_limits_of_length() -> None:
    for tool in OBSERVE:
        schema = told_schema(tool.question)
        assert list(schema["properties"]) == list(tool.question.model_fields)
        assert all({"type", "description"} <= field.keys() for field in schema["properties"].values())
        assert "maxLength" not in json.dumps(schema)
